import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Ago, Button, Drawer, EmptyState, ErrorState, Moment, State } from '../../kit';
import { changeOf, draftOf, keys, type ClientKey } from './data';
import { Limits } from './form';
import { spent, toneOf } from './keys';

interface Props {
  name: string;
  known?: ClientKey;
  onClose: () => void;
  onAct: (act: 'rotate' | 'revoke') => void;
  onTurn: (off: boolean) => void;
}

/** KeyDrawer is one key: what it has used, and what it may do. */
export function KeyDrawer({ name, known, onClose, onAct, onTurn }: Props) {
  const t = useT('proxy');
  const [saved, setSaved] = useState(0); // the version before the change that was made here
  if (!known)
    return (
      <Drawer open onClose={onClose} title={name}>
        <EmptyState title={t('key.gone')} />
      </Drawer>
    );
  // A change by somebody else fills the form anew.
  return <Known key={`${name} ${known.version}`} k={known} onClose={onClose} onAct={onAct} onTurn={onTurn} saved={saved > 0 && known.version > saved} onSaved={setSaved} />;
}

function Known({ k, onClose, onAct, onTurn, saved, onSaved }: { k: ClientKey; saved: boolean; onSaved: (version: number) => void } & Pick<Props, 'onClose' | 'onAct' | 'onTurn'>) {
  const t = useT('proxy');
  const f = useFormat();
  const queries = useQueryClient();
  const [was] = useState(() => draftOf(k));
  const [draft, setDraft] = useState(was);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const change = changeOf(draft, was);
  const save = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await ask(api.PATCH('/api/keys/{name}', { params: { path: { name: k.name }, header: { 'If-Match': `"${k.version}"` } }, body: change }));
      onSaved(k.version);
      await queries.invalidateQueries({ queryKey: keys.queryKey });
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const facts: [string, React.ReactNode][] = [
    [t('col.state'), <State key="s" tone={toneOf[k.state]}>{t(`state.${k.state}`)}</State>],
    [t('col.hint'), <code key="h">{k.hint}</code>],
    [t('key.created'), <Moment key="c" at={k.created} />],
    [t('col.used'), k.last_used ? <Ago key="u" at={k.last_used} /> : '–'],
    [t('col.day'), spent(f, k.day) || '–'],
    [t('col.month'), spent(f, k.month) || '–'],
  ];
  return (
    <Drawer
      open
      onClose={onClose}
      title={k.name}
      foot={
        <>
          <span className="saved quiet" role="status">
            {saved && Object.keys(change).length === 0 && t('saved', { name: k.name })}
          </span>
          <Button onClick={() => onTurn(k.state !== 'disabled')}>{k.state === 'disabled' ? t('act.on') : t('act.off')}</Button>
          <Button onClick={() => onAct('rotate')}>{t('act.rotate')}</Button>
          <Button look="danger" onClick={() => onAct('revoke')}>
            {t('act.revoke')}
          </Button>
          <Button look="main" type="submit" form="key" busy={busy} disabled={Object.keys(change).length === 0}>
            {t('save')}
          </Button>
        </>
      }
    >
      <dl className="facts two">
        {facts.map(([name, value]) => (
          <div key={name} className="fact">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p>
        <Link to="/monitor" search={{ key: k.name }}>
          {t('act.requests')}
        </Link>
      </p>
      <form
        id="key"
        className="form"
        onSubmit={(e) => {
          e.preventDefault();
          void save();
        }}
      >
        {error !== undefined && <ErrorState error={error} />}
        <Limits draft={draft} onChange={setDraft} error={error} />
      </form>
    </Drawer>
  );
}

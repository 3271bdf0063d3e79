import { useState } from 'react';
import type { Account } from '../../api/client';
import { useT } from '../../i18n';
import { Button, Dialog, Field, Input, Menu } from '../../kit';
import type { Acts } from './acts';

interface Props {
  chosen: ReadonlySet<string>;
  rows: readonly Account[];
  choose: (names: string[]) => void;
  acts: Acts;
}

/** Bulk is what can be done with all that are marked. */
export function Bulk({ chosen, rows, choose, acts }: Props) {
  const t = useT('accounts');
  const [asking, setAsking] = useState<'tag' | 'untag' | 'priority'>();
  const [tested, setTested] = useState(0);
  const names = [...chosen];
  if (names.length === 0) return null;
  const busy = acts.busy !== undefined;
  return (
    <div className="bulk" role="group" aria-label={t('bulk')}>
      <b className="num">{t('bulk.chosen', { n: names.length })}</b>
      {names.length < rows.length && (
        <Button look="quiet" onClick={() => choose(rows.map((a) => a.name))}>
          {t('bulk.all', { n: rows.length })}
        </Button>
      )}
      <Button look="quiet" onClick={() => choose([])}>
        {t('bulk.none')}
      </Button>
      <span className="bulk-acts">
        {acts.busy === 'tests' && <span className="quiet num">{t('tests.busy', { done: tested, n: names.length })}</span>}
        <Button
          icon="play"
          busy={acts.busy === 'tests'}
          disabled={busy}
          onClick={() => {
            setTested(0);
            void acts.several(names, setTested);
          }}
        >
          {t('test')}
        </Button>
        <Button disabled={busy} onClick={() => void acts.bulk('enable', names, { change: { disabled: false } })}>
          {t('enable')}
        </Button>
        <Button disabled={busy} onClick={() => void acts.bulk('disable', names, { change: { disabled: true } })}>
          {t('disable')}
        </Button>
        <Menu
          trigger={<Button icon="more">{t('more')}</Button>}
          entries={[
            { label: t('heal'), icon: 'refresh', run: () => void acts.bulk('heal', names, { heal: true }) },
            { label: t('tag.add'), run: () => setAsking('tag') },
            { label: t('tag.remove'), run: () => setAsking('untag') },
            { label: t('col.priority'), run: () => setAsking('priority') },
            { label: t('export'), icon: 'download', run: () => void acts.save(names) },
            'line',
            {
              label: t('remove'),
              icon: 'trash',
              danger: true,
              run: () => void acts.bulk('remove', names, { remove: true }).then((done) => done && choose(names.filter((n) => !done.includes(n)))),
            },
          ]}
        />
      </span>
      {asking && <Ask what={asking} n={names.length} onClose={() => setAsking(undefined)} onAct={(change) => acts.bulk('change', names, { change })} />}
    </div>
  );
}

type Change = { add_tags: string[] } | { remove_tags: string[] } | { priority: number };

/** Ask asks for the one value of a change. */
function Ask({ what, n, onClose, onAct }: { what: 'tag' | 'untag' | 'priority'; n: number; onClose: () => void; onAct: (c: Change) => Promise<unknown> }) {
  const t = useT('accounts');
  const kit = useT('kit');
  const [text, setText] = useState('');
  const tags = text.split(/[\s,]+/).filter(Boolean);
  const number = Number(text);
  const fit = what === 'priority' ? text.trim() !== '' && Number.isInteger(number) && Math.abs(number) <= 1_000_000 : tags.length > 0;
  const go = async () => {
    onClose();
    await onAct(what === 'priority' ? { priority: number } : what === 'tag' ? { add_tags: tags } : { remove_tags: tags });
  };
  const title = { tag: t('tag.add'), untag: t('tag.remove'), priority: t('col.priority') }[what];
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      foot={
        <>
          <Button onClick={onClose}>{kit('cancel')}</Button>
          <Button look="main" disabled={!fit} onClick={() => void go()}>
            {t('bulk.act', { n })}
          </Button>
        </>
      }
    >
      <Field label={what === 'priority' ? t('col.priority') : t('col.tags')} hint={what === 'priority' ? t('priority.hint') : t('tag.hint')}>
        <Input value={text} mono autoFocus inputMode={what === 'priority' ? 'numeric' : undefined} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => e.key === 'Enter' && fit && void go()} />
      </Field>
    </Dialog>
  );
}

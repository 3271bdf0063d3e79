import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { useT } from '../../i18n';
import { Button, CodeBlock, Dialog, ErrorState, Field, Input } from '../../kit';
import { changeOf, draftOf, keys } from './data';
import { Limits, wrongAt } from './form';

/** Made is a key with its text, which the page has until it is left. */
export interface Made {
  name: string;
  text: string;
}

interface Props {
  open: boolean;
  onClose: () => void;
  onMade: (m: Made) => void;
  onConnect: () => void;
}

/** NewKey makes a key, then shows it the one time that it can be shown. */
export function NewKey(p: Props) {
  // What was typed and what was shown goes with the dialog.
  return p.open ? <Making {...p} /> : null;
}

function Making({ onClose, onMade, onConnect }: Props) {
  const t = useT('proxy');
  const kit = useT('kit');
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [was] = useState(() => draftOf());
  const [draft, setDraft] = useState(was);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState<Made>();
  const make = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const zone = draft.hours || draft.dayUsd || draft.dayTokens || draft.monthUsd || draft.monthTokens ? { zone: draft.zone.trim() } : {};
      const k = await ask(api.POST('/api/keys', { body: { name: name.trim(), ...changeOf(draft, was), ...zone } }));
      const m = { name: k.name, text: k.key };
      setMade(m);
      onMade(m);
      await queries.invalidateQueries({ queryKey: keys.queryKey });
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  if (made)
    return <Shown made={made} onClose={onClose} onConnect={onConnect} />;
  const wrong = wrongAt(error, 'name');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('key.add')}
      foot={
        <>
          <Button onClick={onClose}>{kit('cancel')}</Button>
          <Button look="main" type="submit" form="new-key" busy={busy} disabled={name.trim() === ''}>
            {t('key.make')}
          </Button>
        </>
      }
    >
      <form
        id="new-key"
        className="form"
        onSubmit={(e) => {
          e.preventDefault();
          void make();
        }}
      >
        {error !== undefined && <ErrorState error={error} />}
        <Field label={t('field.name')} hint={t('field.name.hint')} error={wrong && <span lang="en">{wrong}</span>}>
          <Input value={name} onChange={(e) => setName(e.target.value)} maxLength={64} mono dir="ltr" autoComplete="off" spellCheck={false} autoFocus />
        </Field>
        <details className="how">
          <summary>{t('key.limits')}</summary>
          <div className="form">
            <Limits draft={draft} onChange={setDraft} error={error} />
          </div>
        </details>
      </form>
    </Dialog>
  );
}

/** Shown is a key's text, once. */
export function Shown({ made, onClose, onConnect }: { made: Made; onClose: () => void; onConnect?: () => void }) {
  const t = useT('proxy');
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('made', { name: made.name })}
      foot={
        <>
          <Button onClick={onClose}>{t('made.done')}</Button>
          {onConnect && (
            <Button look="main" onClick={onConnect}>
              {t('made.connect')}
            </Button>
          )}
        </>
      }
    >
      <p>{t('made.once')}</p>
      <CodeBlock code={made.text} label={made.name} />
    </Dialog>
  );
}

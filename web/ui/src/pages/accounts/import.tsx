import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { accounts } from '../../api/queries';
import { useT } from '../../i18n';
import { Button, Dialog, ErrorState, Field, State, Switch, notify, type Tone } from '../../kit';
import type { WayProps } from './add';
import { FileText } from './pick';

type Result = Schemas['ImportResult'];
type Verdict = Schemas['Imported']['verdict'];

const tones: Record<Verdict, Tone> = { add: 'well', added: 'well', duplicate: 'off', refused: 'need', failed: 'need' };
const most = 200; // rows of a preview; the rest are counted

/** ImportForm reads a file, shows what would become of each account in it, and then adds them. */
export function ImportForm({ go, done }: WayProps) {
  const t = useT('accounts');
  const kit = useT('kit');
  const queries = useQueryClient();
  const [file, setFile] = useState('');
  const [client, setClient] = useState('');
  const [test, setTest] = useState(true);
  const [result, setResult] = useState<Result>();
  const [over, setOver] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const items = result?.items ?? [];

  const run = async (preview: boolean) => {
    setBusy(true);
    setError(undefined);
    try {
      const r = await ask(api.POST('/api/accounts/import', { body: { file, preview, test: test && !preview, client: client.trim() || undefined } }));
      setResult(r);
      if (preview) return;
      setOver(true);
      await queries.invalidateQueries({ queryKey: accounts.queryKey });
      notify({ title: t('imported', { n: r.added }) });
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      open
      onClose={() => go(undefined)}
      title={t('way.import')}
      foot={
        over ? (
          <Button look="main" onClick={() => done()}>
            {kit('close')}
          </Button>
        ) : (
          <>
            <Button look="quiet" onClick={() => (result ? setResult(undefined) : go('choose'))}>
              {t('back')}
            </Button>
            <span className="grow" />
            <Button onClick={() => go(undefined)}>{kit('cancel')}</Button>
            {result ? (
              <Button look="main" busy={busy} disabled={result.added === 0} onClick={() => void run(false)}>
                {t('import.act', { n: result.added })}
              </Button>
            ) : (
              <Button look="main" busy={busy} disabled={!file.trim()} onClick={() => void run(true)}>
                {t('import.look')}
              </Button>
            )}
          </>
        )
      }
    >
      {result ? (
        <div className="add-form">
          <p>{over ? t('imported', { n: result.added }) : t('import.would', { n: result.added, of: items.length })}</p>
          <ul className="lines imports">
            {items.slice(0, most).map((x, i) => (
              <li key={i} className="line">
                <div>
                  <p>
                    {x.name} <span className="quiet mono">{[x.preset ?? x.provider, x.key].filter(Boolean).join(' · ')}</span>
                  </p>
                  <p className="quiet" lang="en" dir="auto">
                    {[x.from, x.why, ...(x.lost ?? [])].filter(Boolean).join(' · ')}
                  </p>
                </div>
                <State tone={tones[x.verdict]}>{t(`outcome.${x.verdict}`)}</State>
              </li>
            ))}
          </ul>
          {items.length > most && <p className="quiet">{t('import.more', { n: items.length - most })}</p>}
          {!over && result.added > 0 && result.added <= 100 && <Switch on={test} onChange={setTest} label={t('import.test')} />}
          {error !== undefined && <ErrorState error={error} />}
        </div>
      ) : (
        <div className="add-form">
          <p className="quiet">{t('way.import.text')}</p>
          <Field label={t('file')} hint={t('file.hint')}>
            <FileText value={file} onChange={setFile} />
          </Field>
          <Field label={t('client')} hint={t('import.client')}>
            <FileText value={client} onChange={setClient} />
          </Field>
          {error !== undefined && <ErrorState error={error} />}
        </div>
      )}
    </Dialog>
  );
}

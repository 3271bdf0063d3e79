// Signing in at an issuer of tokens: in a browser here, in one elsewhere whose
// last address is pasted, or with a code on another device.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Failure, api, ask, type Account, type Schemas } from '../../api/client';
import { accounts } from '../../api/queries';
import { useT } from '../../i18n';
import { Button, CodeBlock, Copyable, Countdown, Dialog, ErrorState, Field, Input, Mark, Segments, Select, notify } from '../../kit';
import type { WayProps } from './add';
import { freeName, vendors } from './data';
import { FileText } from './pick';

type Login = Schemas['Login'];

export function LoginForm({ all, go, done, again }: WayProps & { again?: Account }) {
  const t = useT('accounts');
  const kit = useT('kit');
  const issuers = (useQuery(vendors).data ?? []).filter((v) => v.login);
  const [provider, setProvider] = useState('gemini');
  const [mode, setMode] = useState<'browser' | 'device'>('browser');
  const [client, setClient] = useState('');
  const [project, setProject] = useState('');
  const [name, setName] = useState<string>();
  const [login, setLogin] = useState<Login>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const called = again?.name ?? name ?? freeName(all, provider);
  const taken = !again && all.some((a) => a.name === called.trim());

  const begin = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setLogin(
        await ask(
          api.POST('/api/logins', {
            body: {
              name: called.trim(),
              mode,
              client: client.trim() || undefined,
              account: again ? undefined : { provider, weight: 1, options: project.trim() ? { project: project.trim() } : {} },
            },
          }),
        ),
      );
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const close = () => {
    if (login && login.state === 'waiting') void api.DELETE('/api/logins/{id}', { params: { path: { id: login.id } } }).catch(() => undefined);
    go(undefined);
  };

  return (
    <Dialog
      open
      onClose={close}
      title={again ? `${t('again')}: ${again.name}` : t('way.login')}
      foot={
        login ? (
          <>
            {login.state === 'failed' && <Button onClick={() => setLogin(undefined)}>{kit('retry')}</Button>}
            <Button look={login.state === 'done' ? 'main' : 'plain'} onClick={login.state === 'done' ? () => done(called.trim()) : close}>
              {login.state === 'done' ? kit('close') : kit('cancel')}
            </Button>
          </>
        ) : (
          <>
            {!again && (
              <Button look="quiet" onClick={() => go('choose')}>
                {t('back')}
              </Button>
            )}
            <span className="grow" />
            <Button onClick={close}>{kit('cancel')}</Button>
            <Button look="main" busy={busy} disabled={taken || !called.trim() || (!again && !client.trim())} onClick={() => void begin()}>
              {t('login.begin')}
            </Button>
          </>
        )
      }
    >
      {login ? (
        <Waiting login={login} told={setLogin} />
      ) : (
        <form
          className="add-form"
          onSubmit={(e) => {
            e.preventDefault();
            void begin();
          }}
        >
          <p className="quiet">{t('way.login.text')}</p>
          {!again && (
            <Field label={t('col.vendor')}>
              <Select value={provider} onChange={setProvider} options={issuers.map((v) => ({ value: v.provider, label: v.title }))} />
            </Field>
          )}
          <Field label={t('client')} hint={again ? t('client.last') : t('client.hint')}>
            <FileText value={client} onChange={setClient} placeholder={'{"installed": {"client_id": …}}'} />
          </Field>
          <div className="field">
            <span className="field-label">{t('login.where')}</span>
            <Segments
              label={t('login.where')}
              value={mode}
              onChange={(v) => setMode(v === 'device' ? 'device' : 'browser')}
              options={[
                { value: 'browser', label: t('login.browser') },
                { value: 'device', label: t('login.device') },
              ]}
            />
            <span className="field-hint">{mode === 'device' ? t('login.device.hint') : t('login.browser.hint')}</span>
          </div>
          {!again && (
            <div className="pair">
              <Field label={t('col.name')} error={taken ? kit('failed.account_exists') : undefined}>
                <Input value={called} maxLength={64} spellCheck={false} onChange={(e) => setName(e.target.value)} />
              </Field>
              <Field label={t('option.project')}>
                <Input value={project} mono spellCheck={false} onChange={(e) => setProject(e.target.value)} />
              </Field>
            </div>
          )}
          {error !== undefined && <ErrorState error={error} />}
        </form>
      )}
    </Dialog>
  );
}

/** Waiting shows where to agree, takes the answer by hand, and asks how it stands until it is over. */
function Waiting({ login, told }: { login: Login; told: (l: Login) => void }) {
  const t = useT('accounts');
  const queries = useQueryClient();
  const [answer, setAnswer] = useState('');
  const [error, setError] = useState<unknown>();
  const over = login.state === 'done' || login.state === 'failed';
  const { id, name } = login;

  useEffect(() => {
    if (over) return;
    const gone = new AbortController();
    const look = async () => {
      while (!gone.signal.aborted) {
        try {
          const l = await ask(api.GET('/api/logins/{id}', { signal: gone.signal, params: { path: { id }, query: { wait: 20 } } }));
          told(l);
          if (l.state === 'done') {
            notify({ title: t('added', { account: name }) });
            await queries.invalidateQueries({ queryKey: accounts.queryKey });
          }
          if (l.state === 'done' || l.state === 'failed') return;
        } catch (e) {
          if (gone.signal.aborted) return;
          setError(e);
          if (!(e instanceof Failure && e.kind === 'down')) return;
          await new Promise((r) => setTimeout(r, 2_000));
        }
      }
    };
    void look();
    return () => gone.abort();
  }, [over, id, name, told, queries, t]);

  const paste = async () => {
    setError(undefined);
    try {
      told(await ask(api.POST('/api/logins/{id}/callback', { params: { path: { id } }, body: { answer: answer.trim() } })));
    } catch (e) {
      setError(e);
    }
  };

  if (over)
    return (
      <div className="found" role="status">
        <Mark tone={login.state === 'done' ? 'well' : 'need'} />
        <p lang="en" dir="auto">
          {login.text}
        </p>
      </div>
    );
  return (
    <div className="add-form">
      <ol className="steps">
        <li>
          <p>{t('login.open')}</p>
          <CodeBlock code={login.url} />
          <a className="button" data-look="main" href={login.url} target="_blank" rel="noreferrer">
            {t('login.open.act')}
          </a>
        </li>
        {login.user_code && (
          <li>
            <p>{t('login.code')}</p>
            <p className="user-code">
              <Copyable text={login.user_code} />
            </p>
          </li>
        )}
        {login.mode === 'browser' && (
          <li>
            <p>{t('login.paste')}</p>
            <form
              className="paste"
              onSubmit={(e) => {
                e.preventDefault();
                void paste();
              }}
            >
              <Field label={t('login.answer')} hint={login.redirect && <span className="mono">{login.redirect}</span>}>
                <Input value={answer} mono spellCheck={false} autoComplete="off" onChange={(e) => setAnswer(e.target.value)} />
              </Field>
              <Button type="submit" disabled={!answer.trim()}>
                {t('login.send')}
              </Button>
            </form>
          </li>
        )}
      </ol>
      {error !== undefined && <ErrorState error={error} />}
      <p className="quiet" role="status">
        <Mark tone="wait" /> {login.state === 'busy' ? t('login.busy') : t.rich('login.waiting', { time: <Countdown until={login.expires} /> })}
      </p>
    </div>
  );
}

import { useState, type FormEvent } from 'react';
import { Failure, api, ask } from '../api/client';
import { client, status } from '../api/queries';
import { become } from '../api/session';
import { currentLanguage, languages, speak, useT } from '../i18n';
import { Button, CodeBlock, Field, IconButton, Input, Menu, useFailure } from '../kit';

/** enter tries ways in, one after the other as long as they are refused. */
async function enter([way, ...others]: { password?: string; token?: string }[]): Promise<void> {
  try {
    await ask(api.POST('/api/session', { body: way ?? {} }));
  } catch (e) {
    if (others.length === 0 || !(e instanceof Failure && e.kind === 'unauthorised')) throw e;
    await enter(others);
  }
}

/** SignIn takes the password or the admin token. */
export function SignIn() {
  const t = useT('shell');
  const words = useFailure();
  const [secret, setSecret] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    const text = secret.trim();
    try {
      // A token that the gateway made begins with at-; one of the operator's own may be anything.
      const ways = [{ password: secret }, { token: text }];
      await enter(text.startsWith('at-') ? ways.reverse() : ways);
      client.setQueryData(status.queryKey, await ask(api.GET('/api/status')));
      become('in');
    } catch (e) {
      const w = words(e);
      setError(e instanceof Failure && e.kind === 'unauthorised' ? t('signin.wrong') : [w.what, w.why].filter(Boolean).join(' '));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="signin" id="main">
      <div className="signin-lang">
        <Menu
          trigger={<IconButton icon="globe" label={t('language')} />}
          entries={Object.entries(languages).map(([code, name]) => ({ label: <span lang={code}>{name}</span>, icon: code === currentLanguage() ? 'check' : undefined, run: () => void speak(code) }))}
        />
      </div>
      <form className="signin-form" onSubmit={submit}>
        <span className="brand-mark" aria-hidden="true" />
        <h1 className="sentence">{t('signin')}</h1>
        <p className="quiet">{t('signin.why')}</p>
        {/* A name lets password managers find the field. */}
        <input type="text" name="username" value="admin" autoComplete="username" readOnly hidden />
        <Field label={t('signin.token')} error={error}>
          <Input type="password" name="password" autoComplete="current-password" value={secret} onChange={(e) => setSecret(e.target.value)} mono autoFocus required spellCheck={false} />
        </Field>
        <Button look="main" type="submit" busy={busy} disabled={secret.trim() === ''}>
          {t('signin.go')}
        </Button>
        <div className="signin-help">
          <p className="quiet">{t('signin.where')}</p>
          <CodeBlock code="portico open" />
          <p className="quiet">{t('signin.kept')}</p>
        </div>
      </form>
    </main>
  );
}

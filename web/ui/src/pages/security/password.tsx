import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Failure, api, type Schemas } from '../../api/client';
import { prove } from '../../api/prove';
import { become } from '../../api/session';
import { useT } from '../../i18n';
import { Button, ErrorState, Field, Input, Loaded, Section, State, notify } from '../../kit';
import { Ask } from './ask';
import { self, sessions } from './data';

const least = 12;

/** Password sets, changes and removes the password. All sessions end with it, this one too. */
export function Password() {
  const t = useT('security');
  return (
    <Section id="password" title={t('password')}>
      <Loaded query={useQuery(self)}>{(me) => <Form me={me} />}</Loaded>
    </Section>
  );
}

function Form({ me }: { me: Schemas['Self'] }) {
  const t = useT('security');
  const shell = useT('shell');
  const queries = useQueryClient();
  const [next, setNext] = useState('');
  const [secret, setSecret] = useState('');
  const [busy, setBusy] = useState(false);
  const [removing, setRemoving] = useState(false);
  const [error, setError] = useState<unknown>();
  // Who has no session shows the token with each request anyway.
  const proves = me.password && me.session !== undefined;
  const wrong = error instanceof Failure && error.kind === 'unauthorised';
  const put = async (password: string) => {
    await prove(proves ? secret : '', (p) => api.PUT('/api/password', { body: { password, current: p.password, token: p.token } }));
    notify({ title: password === '' ? t('password.removed') : t('password.set') });
    // What was known of who sits here is of before.
    queries.removeQueries({ queryKey: self.queryKey });
    queries.removeQueries({ queryKey: sessions.queryKey });
    become('out');
  };
  // What was typed is wrong: that is said beside it, and not in the question.
  const failed = (e: unknown) => {
    if (!(e instanceof Failure && e.kind === 'unauthorised')) throw e;
    setError(e);
  };
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await put(next);
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const short = next !== '' && [...next].length < least;
  return (
    <form className="password" onSubmit={submit}>
      <p>
        <State tone={me.password ? 'well' : 'off'}>{me.password ? t('password.is') : t('password.not')}</State>
      </p>
      <p className="quiet">{t('password.then')}</p>
      <input type="text" name="username" value="admin" autoComplete="username" readOnly hidden />
      {proves && (
        <Field label={t('proof')} hint={t('proof.hint')} error={wrong && shell('signin.wrong')}>
          <Input type="password" autoComplete="current-password" value={secret} onChange={(e) => setSecret(e.target.value)} mono spellCheck={false} />
        </Field>
      )}
      <Field label={t('password.new')} hint={t('password.hint', { least })} error={short ? t('password.short', { least }) : undefined}>
        <Input type="password" autoComplete="new-password" value={next} onChange={(e) => setNext(e.target.value)} mono spellCheck={false} />
      </Field>
      {error !== undefined && !wrong && <ErrorState error={error} />}
      <p className="password-acts">
        <Button look="main" type="submit" busy={busy} disabled={next === '' || short || (proves && secret.trim() === '')}>
          {me.password ? t('password.change') : t('password.do')}
        </Button>
        {me.password && (
          <Button look="danger" disabled={proves && secret.trim() === ''} onClick={() => setRemoving(true)}>
            {t('password.remove')}
          </Button>
        )}
      </p>
      {removing && <Ask title={t('password.remove')} consequence={t('password.remove.then')} act={t('password.remove')} onAct={() => put('').catch(failed)} onClose={() => setRemoving(false)} />}
    </form>
  );
}

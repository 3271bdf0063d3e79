import { useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { Failure, api } from '../../api/client';
import { prove } from '../../api/prove';
import { useT } from '../../i18n';
import { Button, ErrorState, Field, Input, Section, TextArea, notify } from '../../kit';
import { config } from './data';

/** FileText is the configuration as it is written. It holds secrets, so who reads or writes it shows who they are. */
export function FileText({ file }: { file?: string }) {
  const t = useT('settings');
  const shell = useT('shell');
  const queries = useQueryClient();
  const [secret, setSecret] = useState('');
  const [text, setText] = useState<string>();
  const [tag, setTag] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const wrong = error instanceof Failure && error.kind === 'unauthorised';
  const read = async () => {
    const { data, response } = await prove(secret, (p) => api.POST('/api/config/text/reveal', { body: p }));
    setText(data.text);
    setTag(response.headers.get('ETag') ?? '');
  };
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      if (text !== undefined) {
        const { data } = await prove(secret, (p) => api.PUT('/api/config', { params: { header: { 'If-Match': tag } }, body: { text, ...p } }));
        await queries.invalidateQueries({ queryKey: config.queryKey });
        notify({ title: t('file.saved'), text: data.warnings?.join(' ') });
      }
      await read();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Section id="file" title={t('file')} side={file && <code className="clip">{file}</code>}>
      <form className="config-file" onSubmit={submit}>
        <p className="quiet">{t('file.hint')}</p>
        <input type="text" name="username" value="admin" autoComplete="username" readOnly hidden />
        <Field label={shell('signin.token')} error={wrong && shell('signin.wrong')}>
          <Input type="password" className="config-proof" autoComplete="current-password" value={secret} onChange={(e) => setSecret(e.target.value)} mono spellCheck={false} />
        </Field>
        {text !== undefined && (
          <Field label={t('file.text')}>
            <TextArea mono className="config-text" dir="ltr" rows={24} value={text} onChange={(e) => setText(e.target.value)} spellCheck={false} autoComplete="off" />
          </Field>
        )}
        {error !== undefined && !wrong && <ErrorState error={error} />}
        <p className="config-acts">
          <Button look="main" type="submit" busy={busy} disabled={secret.trim() === ''}>
            {text === undefined ? t('file.show') : t('file.save')}
          </Button>
          {text !== undefined && (
            <Button
              onClick={() => {
                setText(undefined);
                setSecret('');
                setError(undefined);
              }}
            >
              {t('file.close')}
            </Button>
          )}
        </p>
      </form>
    </Section>
  );
}

// The ways in that need no browser: a key, a refresh token, a service account.
// The upstream is asked before anything is stored.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { accounts } from '../../api/queries';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button, Dialog, ErrorState, Field, Input, Loaded, Mark, Select } from '../../kit';
import type { WayProps } from './add';
import { freeName, vendors, type Draft, type Vendor } from './data';
import { FileText } from './pick';

type Kind = 'key' | 'token' | 'file';
type Tested = Schemas['Tested'];

const idOf = (v: Pick<Vendor, 'provider' | 'preset'>) => `${v.provider} ${v.preset ?? ''}`;

/** What a provider wants to know beside the credential. */
const options: Record<string, readonly ('region' | 'project' | 'location')[]> = { bedrock: ['region'], vertex: ['project', 'location'] };

export function DraftForm({ way, ...p }: WayProps & { way: Kind }) {
  const t = useT('accounts');
  const q = useQuery(vendors);
  if (q.data) return <Form way={way} list={q.data.filter((v) => way === 'key' || v.login)} {...p} />;
  return (
    <Dialog open onClose={() => p.go(undefined)} title={t(`way.${way}`)}>
      <Loaded query={q}>{() => null}</Loaded>
    </Dialog>
  );
}

function Form({ way, list, all, go, done }: WayProps & { way: Kind; list: Vendor[] }) {
  const t = useT('accounts');
  const kit = useT('kit');
  const f = useFormat();
  const queries = useQueryClient();
  const [id, setID] = useState(() => idOf((way === 'file' ? list.find((v) => v.provider === 'vertex') : undefined) ?? list[0] ?? { provider: '' }));
  const vendor = list.find((v) => idOf(v) === id);
  const [name, setName] = useState<string>();
  const [base, setBase] = useState('');
  const [secret, setSecret] = useState('');
  const [client, setClient] = useState('');
  const [models, setModels] = useState('');
  const [extra, setExtra] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState<'test' | 'add'>();
  const [found, setFound] = useState<Tested>();
  const [error, setError] = useState<unknown>();

  const called = name ?? freeName(all, vendor?.preset || vendor?.provider || '');
  const taken = all.some((a) => a.name === called.trim());
  const wants = options[vendor?.provider ?? ''] ?? [];
  const homeless = !vendor?.base_url && wants.length === 0;
  const whole = (!!secret.trim() || (way === 'key' && (vendor?.keyless || !!base.trim()))) && (!homeless || !!base.trim()) && (way !== 'token' || !!client.trim());

  // What was found holds for what was asked, and for nothing else.
  const edit =
    <T,>(to: (v: T) => void) =>
    (v: T) => {
      to(v);
      setFound(undefined);
      setError(undefined);
    };

  const draft = (): Draft => ({
    provider: vendor?.provider ?? '',
    preset: vendor?.preset,
    base_url: base.trim() || undefined,
    api_key: way === 'token' ? undefined : secret.trim() || undefined,
    refresh_token: way === 'token' ? secret.trim() : undefined,
    client: way === 'token' ? client.trim() : undefined,
    models: models.split(/[\s,]+/).filter(Boolean),
    options: Object.fromEntries(wants.flatMap((w) => (extra[w]?.trim() ? [[w, extra[w].trim()]] : []))),
    weight: 1,
  });
  const run = async (what: 'test' | 'add', call: () => Promise<void>) => {
    setBusy(what);
    setError(undefined);
    try {
      await call();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(undefined);
    }
  };
  const test = () => run('test', async () => setFound(await ask(api.POST('/api/accounts/test', { body: draft() }))));
  const add = () =>
    run('add', async () => {
      await ask(api.POST('/api/accounts', { body: { ...draft(), name: called.trim() } }));
      await queries.invalidateQueries({ queryKey: accounts.queryKey });
      done(called.trim());
    });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    void (found ? add() : test());
  };

  return (
    <Dialog
      open
      onClose={() => go(undefined)}
      title={t(`way.${way}`)}
      foot={
        <>
          <Button look="quiet" onClick={() => go('choose')}>
            {t('back')}
          </Button>
          <span className="grow" />
          <Button onClick={() => go(undefined)}>{kit('cancel')}</Button>
          {found ? (
            <Button look={found.ok ? 'main' : 'plain'} busy={busy === 'add'} disabled={taken || !called.trim()} onClick={() => void add()}>
              {found.ok ? t('add.act') : t('add.nevertheless')}
            </Button>
          ) : (
            <Button look="main" busy={busy === 'test'} disabled={!whole || busy !== undefined} onClick={() => void test()}>
              {t('test')}
            </Button>
          )}
        </>
      }
    >
      <form className="add-form" onSubmit={submit}>
        <p className="quiet">{t(`way.${way}.text`)}</p>
        <Field label={t('col.vendor')} hint={vendor?.base_url && <span className="mono">{vendor.base_url}</span>}>
          <Select value={id} onChange={edit(setID)} options={list.map((v) => ({ value: idOf(v), label: v.title }))} />
        </Field>
        {(homeless || vendor?.keyless) && (
          <Field label={t('base')} hint={t('base.hint')}>
            <Input value={base} mono type="url" required={homeless} placeholder={vendor?.base_url ?? 'https://'} spellCheck={false} onChange={(e) => edit(setBase)(e.target.value)} />
          </Field>
        )}
        {wants.map((w) => (
          <Field key={w} label={t(`option.${w}`)}>
            <Input value={extra[w] ?? ''} mono spellCheck={false} onChange={(e) => edit(setExtra)({ ...extra, [w]: e.target.value })} />
          </Field>
        ))}
        {way === 'file' ? (
          <Field label={t('document')} hint={t('secret.hint')}>
            <FileText value={secret} onChange={edit(setSecret)} placeholder={'{"type": "service_account", …}'} />
          </Field>
        ) : (
          <Field label={way === 'token' ? t('token') : t('key')} hint={vendor?.keyless ? t('key.optional') : t('secret.hint')}>
            <Input value={secret} mono type="password" autoComplete="off" spellCheck={false} autoFocus onChange={(e) => edit(setSecret)(e.target.value)} />
          </Field>
        )}
        {way === 'token' && (
          <Field label={t('client')} hint={t('client.hint')}>
            <FileText value={client} onChange={edit(setClient)} placeholder={'{"installed": {"client_id": …}}'} />
          </Field>
        )}
        <div className="pair">
          <Field label={t('col.name')} error={taken ? kit('failed.account_exists') : undefined}>
            <Input value={called} maxLength={64} spellCheck={false} onChange={(e) => setName(e.target.value)} />
          </Field>
          <Field label={t('col.models')} hint={t('models.hint')}>
            <Input value={models} mono spellCheck={false} placeholder="*" onChange={(e) => edit(setModels)(e.target.value)} />
          </Field>
        </div>
        {error !== undefined && <ErrorState error={error} />}
        {found && (
          <div className="found" role="status">
            <Mark tone={found.ok ? 'well' : 'need'} />
            <div>
              <p lang="en" dir="auto">
                {found.text}
              </p>
              {found.message && (
                <p className="quiet" dir="auto">
                  {found.message}
                </p>
              )}
              <p className="quiet num">
                {[f.span(found.took_ms), found.models ? t('found.models', { n: found.models }) : undefined, found.login].filter(Boolean).join(' · ')}
              </p>
            </div>
          </div>
        )}
        {/* Enter in a field goes on. */}
        <button type="submit" hidden disabled={!whole || busy !== undefined} />
      </form>
    </Dialog>
  );
}

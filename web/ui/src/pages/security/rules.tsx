import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { Failure, api, ask } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Ago, Button, Countdown, Dialog, EmptyState, ErrorState, Field, IconButton, Input, Loaded, Section, Segments, Select, State, Table, notify, type Column } from '../../kit';
import { Ask, Lockout } from './ask';
import { expiry, rules, spans, type Rule } from './data';
import type { Search } from './search';

/** Rules are who may call from where. */
export function Rules({ s }: { s: Search }) {
  const t = useT('security');
  const f = useFormat();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const query = useQuery(rules);
  const [removing, setRemoving] = useState<Rule>();
  const add = (to: Search['add']) => void navigate({ to: '/security', search: (p) => ({ ...p, add: to, range: undefined }), replace: true });
  const columns: Column<Rule>[] = [
    { key: 'range', head: t('rule.range'), width: 'minmax(140px, 1.2fr)', card: 'title', cell: (r) => <span className="mono">{r.range}</span> },
    { key: 'kind', head: t('rule.kind'), width: 'minmax(110px, 1fr)', cell: (r) => (r.state === 'expired' ? <State tone="off">{t('rule.expired')}</State> : <State tone={r.kind === 'allow' ? 'well' : 'need'}>{t(`rule.${r.kind}`)}</State>) },
    { key: 'reason', head: t('rule.reason'), width: 'minmax(120px, 2fr)', cell: (r) => <bdi title={r.reason}>{r.reason || t('none')}</bdi> },
    { key: 'expires', head: t('rule.left'), width: '110px', num: true, cell: (r) => (r.expires ? <Countdown until={r.expires} over={t('rule.expired')} /> : t('rule.never')) },
    { key: 'hits', head: t('rule.hits'), width: '100px', num: true, cell: (r) => <span title={f.exact(r.hits)}>{f.short(r.hits)}</span> },
    { key: 'last', head: t('rule.last'), width: '110px', num: true, cell: (r) => (r.last_hit ? <Ago at={r.last_hit} /> : t('none')) },
    { key: 'remove', head: t('act'), width: '64px', fixed: true, cell: (r) => <IconButton icon="trash" label={t('rule.remove.of', { range: r.range })} onClick={() => setRemoving(r)} /> },
  ];
  const example: Rule = { id: 'example', kind: 'deny', range: '203.0.113.0/24', reason: t('rule.example'), state: 'active', created: new Date(0).toISOString(), hits: 12 };
  const button = (
    <Button icon="plus" onClick={() => add('deny')}>
      {t('rule.add')}
    </Button>
  );
  return (
    <Section id="rules" title={t('rules')} side={(query.data?.length ?? 0) > 0 && button}>
      <p className="quiet">{t('rules.hint')}</p>
      <Loaded query={query}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState title={t('rules.none')} text={t('rules.none.why')} example={<Table id="rules" label={t('rules')} rows={[example]} columns={columns} rowKey={(r) => r.id} />} act={button} />
          ) : (
            <Table id="rules" label={t('rules')} rows={all} columns={columns} rowKey={(r) => r.id} height={all.length > 20 ? '60vh' : undefined} />
          )
        }
      </Loaded>
      {s.add && <Add key={s.add + (s.range ?? '')} kind={s.add} range={s.range ?? ''} onClose={() => add(undefined)} />}
      {removing && (
        <Ask
          title={t('rule.remove.of', { range: removing.range })}
          consequence={removing.kind === 'deny' ? t('rule.remove.deny') : t('rule.remove.allow')}
          act={t('rule.remove')}
          force={t('rule.remove.force')}
          onAct={async (force) => {
            await ask(api.DELETE('/api/access/rules/{id}', { params: { path: { id: removing.id }, query: force ? { force } : {} } }));
            await queries.invalidateQueries({ queryKey: rules.queryKey });
            notify({ title: t('rule.removed', { range: removing.range }) });
          }}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </Section>
  );
}

function Add({ kind: first, range: begun, onClose }: { kind: 'allow' | 'deny'; range: string; onClose: () => void }) {
  const t = useT('security');
  const kit = useT('kit');
  const queries = useQueryClient();
  const [kind, setKind] = useState<'allow' | 'deny'>(first);
  const [range, setRange] = useState(begun);
  const [reason, setReason] = useState('');
  const [span, setSpan] = useState<string>('never');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const failure = error instanceof Failure ? error : undefined;
  const locks = failure?.code === 'would_lock_out';
  const wrong = failure?.parts.find((p) => p.where === 'body.range')?.text;
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    setBusy(true);
    try {
      const made = await ask(api.POST('/api/access/rules', { body: { kind, range: range.trim(), reason: reason.trim() || undefined, expires: expiry(span), force: locks || undefined } }));
      await queries.invalidateQueries({ queryKey: rules.queryKey });
      notify({ title: t('rule.added', { range: made.range }) });
      onClose();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  // What was refused was another rule as soon as one of its parts is.
  const change = <T,>(set: (to: T) => void) => (to: T) => {
    set(to);
    setError(undefined);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t('rule.add')}
      foot={
        <>
          <Button onClick={onClose}>{kit('cancel')}</Button>
          <Button look={locks ? 'danger' : 'main'} type="submit" form="rule" busy={busy} disabled={range.trim() === ''}>
            {locks ? t('rule.add.force') : t('rule.add.do')}
          </Button>
        </>
      }
    >
      <form id="rule" className="rule-form" onSubmit={submit}>
        <Segments label={t('rule.kind')} value={kind} onChange={change((v: string) => setKind(v === 'allow' ? 'allow' : 'deny'))} options={[{ value: 'deny', label: t('rule.deny.do') }, { value: 'allow', label: t('rule.allow.do') }]} />
        <Field label={t('rule.range')} hint={t('rule.range.hint')} error={wrong}>
          <Input mono value={range} onChange={(e) => change(setRange)(e.target.value)} autoComplete="off" spellCheck={false} required maxLength={64} autoFocus />
        </Field>
        <Field label={t('rule.reason')} hint={t('rule.reason.hint')}>
          <Input value={reason} onChange={(e) => change(setReason)(e.target.value)} autoComplete="off" maxLength={256} />
        </Field>
        <Field label={t('rule.expires')}>
          <Select value={span} onChange={change(setSpan)} options={spans.map((x) => ({ value: x, label: t(`span.${x}`) }))} />
        </Field>
      </form>
      {failure && locks ? <Lockout error={failure} /> : error !== undefined && wrong === undefined && <ErrorState error={error} />}
    </Dialog>
  );
}

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { models } from '../../api/queries';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button, Countdown, EmptyState, Field, Input, Loaded, Mark, Section, Select, type Tone } from '../../kit';
import { keys, outlook, reasonOf, type Candidate, type Outlook, type Target } from './data';
import { protocols, type Protocol, type Search } from './search';

const protocolNames: Record<Protocol, string> = { 'openai-chat': 'Chat Completions', 'openai-responses': 'Responses', anthropic: 'Messages', gemini: 'Gemini' };
const tones: Record<Candidate['verdict'], Tone> = { taken: 'well', able: 'well', waits: 'wait', passed: 'off' };

/** Explain tells what would happen to a request for a model, without sending any. */
export function Explain({ s }: { s: Search }) {
  const t = useT('proxy');
  const navigate = useNavigate();
  const ids = useQuery(models).data ?? [];
  const names = (useQuery(keys).data ?? []).map((k) => k.name);
  const [model, setModel] = useState(s.ask ?? '');
  const set = (change: Partial<Search>) => void navigate({ to: '/proxy', search: (p) => ({ ...p, ...change }), replace: true });
  return (
    <Section title={t('ask')} id="ask">
      <form
        className="picks ask"
        onSubmit={(e) => {
          e.preventDefault();
          set({ ask: model.trim() || undefined });
        }}
      >
        <Field label={t('ask.model')}>
          <Input mono value={model} onChange={(e) => setModel(e.target.value)} list="ask-models" dir="ltr" data-filter autoComplete="off" spellCheck={false} maxLength={256} />
        </Field>
        <datalist id="ask-models">
          {ids.map((m) => (
            <option key={m.id} value={m.id} />
          ))}
        </datalist>
        <Field label={t('ask.protocol')}>
          <Select value={s.protocol ?? 'openai-chat'} onChange={(v) => set({ protocol: v === 'openai-chat' ? undefined : (v as Protocol) })} options={protocols.map((p) => ({ value: p, label: protocolNames[p] }))} />
        </Field>
        <Field label={t('ask.key')}>
          <Select value={s.key ?? ''} onChange={(v) => set({ key: v || undefined })} options={[{ value: '', label: t('ask.key.none') }, ...[...new Set([...names, ...(s.key ? [s.key] : [])])].map((v) => ({ value: v, label: v }))]} />
        </Field>
        <Button look="main" type="submit" disabled={model.trim() === ''}>
          {t('ask.go')}
        </Button>
      </form>
      <div aria-live="polite">{s.ask ? <Answer model={s.ask} protocol={s.protocol ?? 'openai-chat'} of={s.key} /> : <p className="quiet pad">{t('ask.none')}</p>}</div>
    </Section>
  );
}

function Answer({ model, protocol, of }: { model: string; protocol: Protocol; of?: string }) {
  const t = useT('proxy');
  const q = useQuery(outlook(model, protocol, of));
  return (
    <Loaded query={q} rows={4}>
      {(o) => {
        const targets = o.targets ?? [];
        if (targets.length === 0) return <EmptyState title={t('say.nothing')} />;
        return (
          <div className="answer">
            <p>{rule(t, o)}</p>
            {targets.map((x) => (
              <Of key={x.model} target={x} />
            ))}
          </div>
        );
      }}
    </Loaded>
  );
}

function rule(t: ReturnType<typeof useT<'proxy'>>, o: Outlook) {
  const code = (s: string) => <code>{s}</code>;
  if (!o.rule) return t.rich('say.none', { model: code(o.asked) });
  return t.rich('say.route', { rule: code(o.rule), model: code(o.asked), targets: code((o.targets ?? []).map((x) => x.model).join(' → ')) });
}

/** Of is what would happen at one model of the chain: the outcome, then each account. */
function Of({ target: x }: { target: Target }) {
  const t = useT('proxy');
  const f = useFormat();
  const list = x.candidates ?? [];
  const tone: Tone = x.refused ? 'need' : x.taken ? 'well' : 'wait';
  const wait = x.wait_ms ? f.left(x.wait_ms) : '';
  const model = <code>{x.model}</code>;
  const outcome = () => {
    if (x.refused && x.accounts === 0) return t.rich('out.off', { model });
    if (x.refused && list.length === 0) return t.rich(x.mute ? 'out.mute' : 'out.nobody', { model });
    if (x.refused) return wait ? t.rich('out.later', { model, time: wait }) : t.rich('out.never', { model });
    if (!x.taken) return t.rich('out.wait', { model, time: wait });
    const account = (
      <Link to="/accounts" search={{ open: x.taken }}>
        {x.taken}
      </Link>
    );
    return t.rich(`out.${x.why ?? 'picked'}`, { account, model, n: x.of ?? 1 });
  };
  return (
    <div className="target">
      <p className="outcome">
        <Mark tone={tone} /> <span>{outcome()}</span>
      </p>
      {x.abroad && <p className="quiet">{t('out.abroad')}</p>}
      <ul className="lines">
        {list.map((c) => (
          <Verdict key={c.account} c={c} />
        ))}
      </ul>
      {!!x.more && <p className="quiet pad">{t('out.more', { n: x.more })}</p>}
    </div>
  );
}

function Verdict({ c }: { c: Candidate }) {
  const t = useT('proxy');
  const f = useFormat();
  const faults = useT('faults');
  const reason = c.why && reasonOf(c.why);
  return (
    <li className="line">
      <Mark tone={tones[c.verdict]} />
      <div>
        <p>
          <Link to="/accounts" search={{ open: c.account }}>
            {c.account}
          </Link>{' '}
          {t(`verdict.${c.verdict}`)}
          {c.why && (
            <>
              {': '}
              {reason ? t(`reason.${reason}`, { why: (c.class && faults.maybe(c.class)) || c.class || '' }) : <span lang="en">{c.why}</span>}
              {c.until && <>, {t.rich('until', { time: <Countdown until={c.until} /> })}</>}
            </>
          )}
        </p>
        <p className="quiet small">
          {[c.home && t('c.home'), t('c.protocol', { protocol: protocolNames[c.protocol as Protocol] ?? c.protocol }), c.first_ms && t('c.first', { time: f.span(c.first_ms) }), c.failing && t('c.failing', { percent: f.percent(c.failing) }), c.in_flight > 0 && t('c.flying', { n: c.in_flight })]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
    </li>
  );
}

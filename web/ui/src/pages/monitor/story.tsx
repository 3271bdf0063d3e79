import type { ReactNode } from 'react';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import type { Explained } from './detail';

/** useStory tells a request in sentences of the page's language, from the data of its explanation. */
export function useStory(x: Explained): { summary: ReactNode; facts: ReactNode[] } {
  const t = useT('monitor');
  const faults = useT('faults');
  const f = useFormat();
  const e = x.explanation;
  const why = (c: string | undefined) => (c ? (faults.maybe(c) ?? c) : t('why.unknown'));
  const name = (s: string | undefined) => <b className="mono">{s || '–'}</b>;
  const took = f.span(x.took_ns / 1e6);

  const summary = () => {
    switch (e.outcome) {
      case 'served':
        return t.rich('end.served', { account: name(x.account), model: name(x.served || x.asked), time: took });
      case 'refused':
        return t('end.refused', { why: why(x.fault) });
      case 'broken':
        return t('end.broken', { time: took, why: why(x.fault) });
      case 'left':
        return t('end.left', { time: took });
      default:
        return t('end.failed', { why: why(x.fault) });
    }
  };

  const facts: ReactNode[] = [];
  facts.push(t.rich('said.asked', { client: name(x.client || x.peer), model: name(x.asked) }));
  if (x.rule) facts.push(t.rich('said.route', { rule: name(x.rule), model: name((e.model.tried ?? []).join(', ') || x.served) }));
  for (const p of x.passed ?? []) {
    const [kind, c] = p.why.split(': ');
    const key = kind === 'cooling' ? 'said.cooling' : kind === 'needs attention' ? 'said.attention' : undefined;
    facts.push(key ? t.rich(key, { account: name(p.account), why: why(c) }) : t.rich('said.passed', { account: name(p.account), why: <span lang="en">{p.why}</span> }));
  }
  (x.attempts ?? []).forEach((a, i) => {
    const chosen = a.why && t.maybe(`chosen.${a.why}`, { n: a.of ?? 1, account: a.account });
    const span = f.span(a.took_ns / 1e6);
    const went = a.fault ? t.rich('said.failed', { account: name(a.account), time: span, why: why(a.fault) }) : t.rich('said.served', { account: name(a.account), time: span });
    const next = a.fault && a.step ? t.maybe(`step.${a.step}`) : undefined;
    facts.push(
      <>
        {chosen && <>{chosen} </>}
        {went}
        {next && <> {next}</>}
        {a.error && a.error !== x.error && (
          <span className="detail-said mono" dir="auto">
            {a.error}
          </span>
        )}
        {(a.after_ns ?? 0) > 0 && <> {t('said.wait', { time: f.span((a.after_ns ?? 0) / 1e6) })}</>}
        {i === 0 && (a.waited_ns ?? 0) > 1e6 && <> {t('said.queued', { time: f.span((a.waited_ns ?? 0) / 1e6) })}</>}
      </>,
    );
  });
  if (x.inbound && x.outbound && x.inbound !== x.outbound) facts.push(t.rich('said.translated', { from: name(x.inbound), to: name(x.outbound) }));
  if (x.fault) facts.push(t('said.told', { status: String(x.status), why: why(x.fault) }));
  return { summary: summary(), facts };
}

import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { Overview } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Chart, Stat, Stats, type Series } from '../../kit';
import { line } from './data';
import type { Figure, Search } from './search';

/** Figures are the six numbers of the window, and the course of the chosen one. They are of one answer, so they agree. */
export function Figures({ o, s }: { o: Overview; s: Search }) {
  const t = useT('dashboard');
  const f = useFormat();
  const navigate = useNavigate();
  const l = useMemo(() => line(o), [o]);
  const show = s.show ?? 'requests';
  const x = o.totals;
  const read = x.input + x.cache_read + x.cache_write;
  const choose = (show: Figure) => void navigate({ to: '/', search: (p) => ({ ...p, show }), replace: true });
  const some = x.requests > 0;
  // Where nothing was asked, a share is what it was before.
  const carried = (v: (number | null)[]) => {
    let last = v.find((n) => n !== null) ?? 0;
    return v.map((n) => (last = n ?? last));
  };

  const ok = l.requests.map((n, i) => n - (l.failed[i] ?? 0));
  const charts: Record<Figure, { series: Series[]; format: (n: number) => string }> = {
    requests: {
      format: f.short,
      series: [
        // Failures are drawn over the sum of both, so that the two stack.
        { label: t('chart.failed'), color: '--need', values: l.requests, look: 'bars' },
        { label: t('chart.ok'), color: '--accent', values: ok, look: 'bars' },
      ],
    },
    served: { format: f.percent, series: [{ label: t('served'), color: '--well', values: l.served }] },
    tokens: { format: f.short, series: [{ label: t('tokens'), color: '--accent', values: l.tokens, look: 'bars' }] },
    cost: { format: f.usd, series: [{ label: t('cost'), color: '--accent', values: l.cost, look: 'bars' }] },
    first: { format: f.short, series: [{ label: t('requests'), color: '--accent', values: l.requests, look: 'bars' }] },
    cache: { format: f.percent, series: [{ label: t('cache'), color: '--accent', values: l.cache }] },
  };
  const window = (from: number, to: number) =>
    void navigate({ to: '/monitor', search: { since: new Date(from * 1000).toISOString(), until: new Date(to * 1000).toISOString(), account: s.account, model: s.model, key: s.key } });

  return (
    <div className="figures">
      <Stats label={t('figures')}>
        <Stat label={t('requests')} value={f.short(x.requests)} exact={f.exact(x.requests)} note={t('requests.note', { n: x.failed })} values={l.requests} chosen={show === 'requests'} onChoose={() => choose('requests')} />
        <Stat label={t('served')} value={some ? f.percent((x.requests - x.failed) / x.requests) : '–'} note={t('served.note', { n: x.partial })} values={carried(l.served)} chosen={show === 'served'} onChoose={() => choose('served')} />
        <Stat label={t('tokens')} value={f.short(x.total)} exact={f.exact(x.total)} note={t('tokens.note', { in: f.short(read), out: f.short(x.output + x.reasoning) })} values={l.tokens} chosen={show === 'tokens'} onChoose={() => choose('tokens')} />
        <Stat label={t('cost')} value={f.usd(x.cost_usd)} note={x.unpriced > 0 ? t('cost.unpriced', { n: x.unpriced }) : t('cost.note')} values={l.cost} chosen={show === 'cost'} onChoose={() => choose('cost')} />
        <Stat label={t('cache')} value={read > 0 ? f.percent(x.cache_read / read) : '–'} note={t('cache.note', { tokens: f.short(x.cache_read) })} values={carried(l.cache)} chosen={show === 'cache'} onChoose={() => choose('cache')} />
        <Stat label={t('first')} value={o.waits.of > 0 ? f.span(o.waits.first_p50_ms) : '–'} note={o.waits.of > 0 ? t('first.note', { p95: f.span(o.waits.first_p95_ms) }) : t('first.none')} />
      </Stats>
      <Chart label={t('chart.label', { what: t(show) })} times={l.times} series={charts[show].series} format={charts[show].format} height={168} onSelect={window} onPick={(at) => window(at, at + o.step_s)} />
    </div>
  );
}

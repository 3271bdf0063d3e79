import { useMemo } from 'react';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Family, Mark, type Column, type Tone } from '../../kit';
import type { Row } from './rows';

/** toneOf is how a request went: served, broken off, refused. */
export function toneOf(r: { fault?: string; partial?: boolean; status: number }): Tone {
  if (r.fault || r.status >= 400) return 'need';
  return r.partial ? 'wait' : 'well';
}

export function useRowColumns(): Column<Row>[] {
  const t = useT('monitor');
  const faults = useT('faults');
  const f = useFormat();
  return useMemo<Column<Row>[]>(
    () => [
      {
        key: 'time',
        head: t('col.time'),
        width: 'minmax(64px, max-content)',
        fixed: true,
        cell: (r) => (
          <time className="num" dateTime={new Date(r.at).toISOString()} title={f.full(r.at)}>
            {f.time(r.at)}
          </time>
        ),
      },
      {
        key: 'status',
        head: t('col.status'),
        width: 'minmax(64px, 1.9fr)',
        fixed: true,
        cell: (r) => (
          <span className="clip" title={r.error}>
            <Mark tone={toneOf(r)} /> <span className="num">{r.status}</span> {r.fault && <span className="quiet">{faults.maybe(r.fault) ?? r.fault}</span>}
          </span>
        ),
      },
      {
        key: 'model',
        head: t('col.model'),
        width: 'minmax(120px, 1.7fr)',
        card: 'title',
        cell: (r) => (
          <>
            <Family of={r.served || r.asked || ''} /> <span className="mono">{r.served || r.asked || '–'}</span>
          </>
        ),
      },
      { key: 'asked', head: t('col.asked'), width: 'minmax(100px, 1.4fr)', extra: true, card: 'none', cell: (r) => <span className="clip mono">{r.asked ?? '–'}</span> },
      { key: 'account', head: t('col.account'), width: 'minmax(80px, 1fr)', cell: (r) => <span className="clip">{r.account ?? '–'}</span> },
      { key: 'key', head: t('col.key'), width: 'minmax(64px, 0.8fr)', card: 'none', cell: (r) => <span className="clip">{r.key ?? '–'}</span> },
      { key: 'client', head: t('col.client'), width: 'minmax(72px, 1fr)', card: 'none', cell: (r) => <span className="clip quiet">{r.client ?? '–'}</span> },
      { key: 'protocol', head: t('col.protocol'), width: 'minmax(84px, 1fr)', extra: true, card: 'none', cell: (r) => <span className="clip quiet">{!r.outbound || r.outbound === r.inbound ? r.inbound : `${r.inbound} → ${r.outbound}`}</span> },
      {
        key: 'tokens',
        head: t('col.tokens'),
        width: '112px',
        num: true,
        cell: (r) =>
          r.read + r.written === 0 ? (
            '–'
          ) : (
            <span title={t('tokens.exact', { in: f.exact(r.read), out: f.exact(r.written) })}>
              {f.short(r.read)} <span className="quiet">/</span> {f.short(r.written)}
            </span>
          ),
      },
      { key: 'cached', head: t('col.cached'), width: '80px', num: true, card: 'none', cell: (r) => (r.read > 0 ? f.percent(r.cached / r.read) : '–') },
      { key: 'cost', head: t('col.cost'), width: '68px', num: true, cell: (r) => (r.cost === undefined || r.read + r.written === 0 ? '–' : f.usd(r.cost)) },
      { key: 'first', head: t('col.first'), width: '72px', num: true, card: 'none', cell: (r) => (r.first > 0 ? f.span(r.first) : '–') },
      { key: 'took', head: t('col.took'), width: '72px', num: true, cell: (r) => f.span(r.took) },
      { key: 'tries', head: t('col.tries'), width: '52px', num: true, extra: true, card: 'none', cell: (r) => f.exact(r.tries) },
      { key: 'session', head: t('col.session'), width: 'minmax(80px, 1fr)', extra: true, card: 'none', cell: (r) => <span className="clip mono">{r.session ?? '–'}</span> },
      { key: 'id', head: t('col.id'), width: 'minmax(120px, 1.2fr)', extra: true, card: 'none', cell: (r) => <span className="clip mono">{r.id}</span> },
    ],
    [t, f, faults],
  );
}

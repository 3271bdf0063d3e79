import { useMemo } from 'react';
import type { Account } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Family, type Column, type Sort } from '../../kit';
import { groupOf, leftOf, vendorOf } from './data';
import { Health, Quotas, Tags } from './parts';

const rank = { needs: 0, limited: 1, ready: 2, off: 3 };

/** useAccountColumns are the columns of the table; chosen are the marked rows. */
export function useAccountColumns(chosen: ReadonlySet<string>, mark: (name: string) => void): Column<Account>[] {
  const t = useT('accounts');
  const f = useFormat();
  return useMemo<Column<Account>[]>(
    () => [
      {
        key: 'mark',
        head: t('col.mark'),
        bare: true,
        width: '24px',
        fixed: true,
        card: 'none',
        cell: (a) => <input type="checkbox" className="tick" aria-label={t('mark', { account: a.name })} checked={chosen.has(a.name)} onChange={() => mark(a.name)} />,
      },
      {
        key: 'name',
        head: t('col.name'),
        width: 'minmax(140px, 1.3fr)',
        fixed: true,
        card: 'title',
        sort: (a) => a.name,
        cell: (a) => (
          <>
            <Family of={`${a.provider} ${a.preset ?? ''}`} /> {a.name} {a.label && <span className="quiet">{a.label}</span>}
          </>
        ),
      },
      { key: 'health', head: t('col.health'), width: 'minmax(170px, 2fr)', fixed: true, sort: (a) => rank[groupOf(a)], cell: (a) => <Health a={a} /> },
      { key: 'vendor', head: t('col.vendor'), width: 'minmax(80px, 1fr)', sort: vendorOf, cell: (a) => <span className="mono">{vendorOf(a)}</span> },
      { key: 'quota', head: t('col.quota'), width: 'minmax(200px, 1.7fr)', sort: (a) => leftOf(a) ?? 101, cell: (a) => <Quotas a={a} /> },
      { key: 'key', head: t('col.key'), width: 'minmax(90px, 1fr)', extra: true, cell: (a) => <span className="mono quiet">{a.login ?? a.key ?? '–'}</span> },
      { key: 'tags', head: t('col.tags'), width: 'minmax(70px, 1fr)', card: 'none', extra: true, cell: (a) => <Tags a={a} /> },
      { key: 'models', head: t('col.models'), width: 'minmax(90px, 1fr)', extra: true, card: 'none', cell: (a) => <span className="mono quiet">{a.models?.length ? a.models.join(', ') : t('models.all')}</span> },
      { key: 'priority', head: t('col.priority'), width: '72px', num: true, sort: (a) => a.priority, cell: (a) => f.exact(a.priority) },
      { key: 'weight', head: t('col.weight'), width: '72px', num: true, extra: true, sort: (a) => a.weight, cell: (a) => f.exact(a.weight) },
      { key: 'flight', head: t('col.flight'), width: '72px', num: true, card: 'none', sort: (a) => a.in_flight, cell: (a) => f.exact(a.in_flight) },
      { key: 'served', head: t('col.served'), width: '72px', num: true, sort: (a) => a.served, cell: (a) => f.short(a.served) },
      { key: 'first', head: t('col.first'), width: '80px', num: true, card: 'none', sort: (a) => a.first_ms ?? 0, cell: (a) => (a.first_ms ? f.span(a.first_ms) : '–') },
    ],
    [t, f, chosen, mark],
  );
}

/** sortOf reads how the address sorts. */
export function sortOf(text: string | undefined): Sort | undefined {
  if (!text) return undefined;
  return text.startsWith('-') ? { by: text.slice(1), down: true } : { by: text, down: false };
}

export const sortText = (s: Sort | undefined) => s && (s.down ? `-${s.by}` : s.by);

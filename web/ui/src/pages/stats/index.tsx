import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button, Chart, Chips, EmptyState, Family, Loaded, Menu, PageHead, Section, Segments, Select, Stat, Stats, Table as Grid, useColumns, type Column, type Sort } from '../../kit';
import { asCSV, asJSON, begin, stack, tabulate, usage, zone, type Sum, type Table } from './data';
import { grains, parts, search, type Grain, type PartName, type Search } from './search';

const colors = ['--accent', '--anthropic', '--openai', '--local', '--wait', '--n8'];

export default function Page() {
  const t = useT('stats');
  const shell = useT('shell');
  const f = useFormat();
  const s = search(useSearch({ strict: false }));
  const navigate = useNavigate();
  const q = useQuery(usage(s));
  const grain = s.grain ?? 'day';
  const by = s.by ?? 'model';
  const table = useMemo(() => q.data && tabulate(q.data.rows, grain, by, q.data.since, q.data.until), [q.data, grain, by]);
  const set = (change: Partial<Search>) => void navigate({ to: '/stats', search: (p) => ({ ...p, ...change }), replace: true });
  const save = (kind: 'csv' | 'json') => {
    if (!table || !q.data) return;
    const text = kind === 'csv' ? asCSV(table, by, q.data.since, q.data.until) : asJSON(table, by, q.data.since, q.data.until);
    const a = document.createElement('a');
    a.href = URL.createObjectURL(new Blob([text], { type: kind === 'csv' ? 'text/csv' : 'application/json' }));
    a.download = `portico-${by}-${grain}.${kind}`;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
  };
  const x = table?.total;
  return (
    <div className="page stats-page">
      <PageHead
        title={shell('nav.stats')}
        sentence={!x ? t('asking') : x.requests === 0 ? t('none') : t('sentence', { tokens: f.short(x.total), cost: f.usd(x.cost), n: x.requests })}
        acts={
          <Menu
            trigger={<Button icon="download">{t('export')}</Button>}
            entries={[
              { label: t('export.as', { kind: 'CSV' }), run: () => save('csv'), disabled: !x?.requests },
              { label: t('export.as', { kind: 'JSON' }), run: () => save('json'), disabled: !x?.requests },
            ]}
          />
        }
      />
      <div className="filter-bar">
        <Segments label={t('grain')} value={grain} onChange={(v) => set({ grain: v === 'day' ? undefined : (v as Grain) })} options={grains.map((g) => ({ value: g, label: t(`grain.${g}`) }))} />
        <Select compact label={t('by')} value={by} onChange={(v) => set({ by: v === 'model' ? undefined : (v as PartName) })} options={parts.map((p) => ({ value: p, label: t(`by.${p}`) }))} />
        <Segments label={t('chart')} value={s.show ?? 'tokens'} onChange={(v) => set({ show: v === 'cost' ? 'cost' : undefined })} options={[{ value: 'tokens', label: t('tokens') }, { value: 'cost', label: t('cost') }]} />
        <Chips chips={(['account', 'model', 'key'] as const).filter((k) => s[k]).map((k) => ({ name: t(`by.${k}`), value: s[k] ?? '', remove: () => set({ [k]: undefined }) }))} />
        <span className="quiet">{t('zone', { zone })}</span>
      </div>
      <Loaded query={q} rows={10}>
        {() => table && <Body table={table} s={s} />}
      </Loaded>
    </div>
  );
}

function Body({ table, s }: { table: Table; s: Search }) {
  const t = useT('stats');
  const f = useFormat();
  const navigate = useNavigate();
  const by = s.by ?? 'model';
  const grain = s.grain ?? 'day';
  const x = table.total;
  const read = x.input + x.cached + x.written;
  const name = (n: string) => n || t('unnamed');
  const format = s.show === 'cost' ? f.usd : f.short;
  const series = stack(table, s.show === 'cost' ? 'costs' : 'tokens', t('rest'));
  return (
    <>
      <Stats label={t('totals')}>
        <Stat label={t('tokens')} value={f.short(x.total)} exact={f.exact(x.total)} />
        <Stat label={t('input')} value={f.short(x.input)} exact={f.exact(x.input)} />
        <Stat label={t('cached')} value={f.short(x.cached)} exact={f.exact(x.cached)} note={read > 0 ? f.percent(x.cached / read) : undefined} />
        <Stat label={t('written')} value={f.short(x.written)} exact={f.exact(x.written)} />
        <Stat label={t('output')} value={f.short(x.output)} exact={f.exact(x.output)} />
        <Stat label={t('reasoning')} value={f.short(x.reasoning)} exact={f.exact(x.reasoning)} />
        <Stat label={t('cost')} value={f.usd(x.cost)} note={x.unpriced > 0 ? t('unpriced', { n: x.unpriced }) : t('price')} />
      </Stats>
      {series.length > 0 && (
        <Chart
          label={t('chart')}
          times={table.times}
          series={series.map((y, i) => ({ label: name(y.name), color: colors[i] ?? '--n8', values: y.values, told: y.own, look: 'bars' as const }))}
          format={format}
          height={220}
          onPick={(at) => {
            const i = table.times.indexOf(at);
            const until = table.times[i + 1];
            void navigate({ to: '/monitor', search: { since: new Date(at * 1000).toISOString(), until: until ? new Date(until * 1000).toISOString() : undefined, account: s.account, model: s.model, key: s.key } });
          }}
        />
      )}
      <Rows table={table} by={by} s={s} since={begin(grain).toISOString()} />
    </>
  );
}

function Rows({ table, by, s, since }: { table: Table; by: PartName; s: Search; since: string }) {
  const t = useT('stats');
  const f = useFormat();
  const [sort, setSort] = useState<Sort | undefined>();
  const all = table.total.total;
  const num = (key: string, head: string, of: (r: Sum) => number, write: (n: number) => string = f.short, width = '88px'): Column<Sum> => ({
    key,
    head,
    width,
    num: true,
    sort: of,
    cell: (r) => <span title={write === f.short ? f.exact(of(r)) : undefined}>{write(of(r))}</span>,
  });
  const columns: Column<Sum>[] = [
    {
      key: 'name',
      head: t(`by.${by}`),
      width: 'minmax(140px, 2fr)',
      fixed: true,
      card: 'title',
      sort: (r) => r.name,
      cell: (r) =>
        r.name === '' ? (
          <span className="quiet">{t('unnamed')}</span>
        ) : (
          <>
            {by === 'model' && <Family of={r.name} />}{' '}
            <Link className="mono" to="/monitor" search={{ account: s.account, model: s.model, key: s.key, since, [by]: r.name }}>
              {r.name}
            </Link>
          </>
        ),
    },
    num('requests', t('requests'), (r) => r.requests),
    num('input', t('input'), (r) => r.input),
    num('cached', t('cached'), (r) => r.cached),
    num('written', t('written'), (r) => r.written, f.short, '116px'),
    num('output', t('output'), (r) => r.output),
    num('reasoning', t('reasoning'), (r) => r.reasoning),
    num('total', t('tokens'), (r) => r.total),
    num('share', t('share'), (r) => (all > 0 ? r.total / all : 0), f.percent, '72px'),
    num('cost', t('cost'), (r) => r.cost, f.usd),
  ];
  const { chooser } = useColumns('stats', columns);
  return (
    <Section title={t('table', { part: t(`by.${by}`) })} id="stats-table" side={chooser}>
      <Grid
        id="stats"
        label={t('table', { part: t(`by.${by}`) })}
        rows={table.sums}
        columns={columns}
        rowKey={(r) => r.name || '-'}
        sort={sort}
        onSort={setSort}
        height={table.sums.length > 40 ? '70dvh' : undefined}
        empty={<EmptyState title={t('none')} text={t('none.text')} />}
      />
    </Section>
  );
}

import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { Request } from '../../api/client';
import { useLive } from '../../api/live';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { EmptyState, Family, IconButton, Loaded, Mark, Moment, Section, Table, type Column, type Tone } from '../../kit';
import { latest, matches } from './data';
import type { Search } from './search';

/** tone of a request: served, broken off, refused. */
function tone(r: Request): Tone {
  if (r.fault) return 'need';
  return r.partial ? 'wait' : 'well';
}

/** Recent are the last ten requests, as they end. */
export function Recent({ s }: { s: Search }) {
  const t = useT('dashboard');
  const faults = useT('faults');
  const f = useFormat();
  const navigate = useNavigate();
  const [paused, setPaused] = useState(false);
  const live = useLive(paused);
  const q = useQuery(latest(s));

  const columns = useMemo<Column<Request>[]>(
    () => [
      { key: 'time', head: t('col.time'), width: '62px', cell: (r) => <Moment at={r.start} />, fixed: true },
      {
        key: 'model',
        head: t('col.model'),
        width: 'minmax(120px, 1.6fr)',
        card: 'title',
        cell: (r) => (
          <>
            <Family of={r.served || r.asked || ''} /> <span className="mono">{r.served || r.asked || '–'}</span>
          </>
        ),
      },
      { key: 'account', head: t('col.account'), width: 'minmax(80px, 1fr)', cell: (r) => <span className="clip">{r.account ?? '–'}</span> },
      { key: 'client', head: t('col.client'), width: 'minmax(72px, 1fr)', card: 'none', cell: (r) => <span className="clip quiet">{r.client ?? '–'}</span> },
      {
        key: 'tokens',
        head: t('col.tokens'),
        width: '64px',
        num: true,
        cell: (r) => {
          const u = r.usage;
          return u ? f.short(u.input + u.cache_read + u.cache_write + u.output + u.reasoning) : '–';
        },
      },
      { key: 'took', head: t('col.took'), width: '72px', num: true, cell: (r) => f.span(r.took_ns / 1e6) },
      {
        key: 'status',
        head: t('col.status'),
        width: 'minmax(64px, 1.5fr)',
        fixed: true,
        cell: (r) => (
          <span className="clip" title={r.error}>
            <Mark tone={tone(r)} /> <span className="num">{r.status}</span> {r.fault && <span className="quiet">{faults.maybe(r.fault) ?? r.fault}</span>}
          </span>
        ),
      },
    ],
    [t, f, faults],
  );

  return (
    <Section
      title={t('recent')}
      id="recent"
      side={
        <>
          {live.missed !== 0 && <span className="quiet">{live.missed > 0 ? t('recent.missed', { n: live.missed }) : t('recent.gap')}</span>}
          {live.state === 'broken' && <span className="quiet">{t('recent.broken')}</span>}
          {paused && live.waiting > 0 && <span className="quiet">{t('recent.waiting', { n: live.waiting })}</span>}
          <IconButton icon={paused ? 'play' : 'pause'} label={paused ? t('recent.follow') : t('recent.pause')} pressed={paused} onClick={() => setPaused(!paused)} />
          <Link to="/monitor" search={{ account: s.account, model: s.model, key: s.key }}>
            {t('recent.all')}
          </Link>
        </>
      }
    >
      <Loaded query={q} rows={10}>
        {(before) => {
          const fresh = live.rows.filter((r) => matches(s, r));
          const seen = new Set(fresh.map((r) => r.id));
          const rows = [...fresh, ...before.filter((r) => !seen.has(r.id))].slice(0, 10);
          return (
            <Table
              id="recent"
              label={t('recent')}
              rows={rows}
              columns={columns}
              rowKey={(r) => r.id}
              onOpen={(r) => void navigate({ to: '/monitor', search: { open: r.id } })}
              empty={<EmptyState title={t('recent.empty')} text={t('recent.empty.text')} example={<ExampleRow columns={columns} />} />}
            />
          );
        }}
      </Loaded>
    </Section>
  );
}

const example: Request = {
  id: 'example',
  start: new Date(Date.now() - 40_000).toISOString(),
  op: 'chat',
  inbound: 'anthropic',
  served: 'claude-sonnet-4-5',
  account: 'work',
  client: 'claude-cli',
  status: 200,
  took_ns: 4.2e9,
  bytes_in: 0,
  bytes_out: 0,
  usage: { input: 1200, cache_read: 9100, cache_write: 0, output: 420, reasoning: 0 },
};

function ExampleRow({ columns }: { columns: Column<Request>[] }) {
  return (
    <div className="tr" style={{ gridTemplateColumns: columns.map((c) => c.width).join(' ') }}>
      {columns.map((c) => (
        <div key={c.key} className="td" data-num={c.num || undefined}>
          <span className="td-cell">{c.cell(example)}</span>
        </div>
      ))}
    </div>
  );
}

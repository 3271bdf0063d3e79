import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useRef, useState, type PointerEvent } from 'react';
import { useCommands } from '../../app/commands';
import { useT } from '../../i18n';
import { Button, EmptyState, ErrorState, Mark, PageHead, Skeleton, Table, useColumns, type Column, type Tone } from '../../kit';
import { useKeys } from '../../lib/hooks';
import { useRowColumns } from './columns';
import { Detail } from './detail';
import { FilterBar } from './filterbar';
import { terms } from './filter';
import './monitor.css';
import { useRows, type Row, type Snapshot } from './rows';
import { search, type Search } from './search';

const rowKey = (r: Row) => r.id;

/** Monitor is every request as it ends, and all that are kept. */
export default function Monitor() {
  const t = useT('monitor');
  const shell = useT('shell');
  const s = search(useSearch({ strict: false }));
  const navigate = useNavigate();
  const box = useRef<HTMLDivElement>(null);
  const [paused, setPaused] = useState(false);
  const [away, setAway] = useState(false); // scrolled from the newest
  const [near, setNear] = useState(false); // the pointer is on a row
  const past = s.until !== undefined;
  const reading = away || near || s.open !== undefined;
  const r = useRows(s, paused || reading);
  const columns = useRowColumns();
  const { chooser } = useColumns('monitor', columns);

  const set = useCallback((change: Partial<Search>) => void navigate({ to: '/monitor', search: (p) => ({ ...p, ...change }), replace: true }), [navigate]);
  const open = useCallback((row: Row) => set({ open: row.id }), [set]);
  const toTop = () => {
    setPaused(false);
    setNear(false);
    box.current?.querySelector('.table-body')?.scrollTo({ top: 0 });
  };
  const step = (by: number) => {
    const i = r.rows.findIndex((x) => x.id === s.open);
    const to = r.rows[i + by];
    if (to && i >= 0) set({ open: to.id });
  };
  const follow = paused ? t('follow') : t('pause');
  useKeys({ p: () => setPaused(!paused) }, !past);
  useCommands(past ? [] : [{ name: follow, run: () => setPaused(!paused), icon: paused ? 'play' : 'pause' }]);

  const hover = (e: PointerEvent) => e.pointerType === 'mouse' && setNear((e.target as Element).closest('[data-index]') !== null);
  const filtered = terms(s).length > 0;
  const outcome = s.fault !== undefined || s.status !== undefined; // then how they went says nothing

  return (
    <div className="page monitor">
      <PageHead
        title={shell('nav.monitor')}
        tone={outcome ? undefined : tone(r)}
        sentence={<Sentence r={r} filtered={filtered} outcome={outcome} />}
        acts={
          !past && (
            <Button icon={paused ? 'play' : 'pause'} aria-pressed={paused} onClick={() => setPaused(!paused)}>
              {follow}
            </Button>
          )
        }
      />
      <div className="monitor-bar">
        <FilterBar s={s} set={set} />
        <div className="monitor-side">
          <LiveState past={past} paused={paused} reading={reading} live={r.live} />
          {chooser}
        </div>
      </div>
      <div
        ref={box}
        className="monitor-rows"
        onPointerOver={hover}
        onPointerLeave={() => setNear(false)}
        onScrollCapture={(e) => setAway((e.target as Element).scrollTop > 8)}
      >
        {(paused || reading) && (r.fresh > 0 || r.over) && (
          <button type="button" className="monitor-fresh" onClick={toTop}>
            {r.over ? t('fresh.many', { n: r.fresh }) : t('fresh', { n: r.fresh })}
          </button>
        )}
        {!r.ready ? (
          r.error ? (
            <ErrorState error={r.error} retry={r.retry} />
          ) : (
            <Skeleton rows={12} />
          )
        ) : (
          <Table
            id="monitor"
            label={t('list')}
            rows={r.rows}
            columns={columns}
            rowKey={rowKey}
            onOpen={open}
            opened={s.open}
            height="max(320px, calc(100dvh - 256px))"
            onEnd={r.more}
            empty={
              filtered ? (
                <EmptyState title={t('say.nomatch')} />
              ) : (
                <EmptyState
                  title={t('say.none')}
                  text={t('empty.text')}
                  example={<Example columns={columns} />}
                  act={
                    <Button look="main" onClick={() => void navigate({ to: '/proxy', search: { tab: 'connect' } })}>
                      {t('empty.act')}
                    </Button>
                  }
                />
              )
            }
          />
        )}
        {r.ready && r.error !== undefined && <ErrorState error={r.error} retry={r.retry} />}
        {r.ready && r.rows.length > 0 && !r.error && <p className="monitor-foot quiet">{r.done ? t('oldest') : r.loading ? t('older.loading') : ' '}</p>}
      </div>
      <Detail id={s.open} onClose={() => set({ open: undefined })} onStep={step} />
    </div>
  );
}

/** lately is how the newest requests of the list went, at most a hundred. */
function lately(r: Snapshot): { n: number; failed: number } {
  const newest = r.rows.slice(0, 100);
  return { n: newest.length, failed: newest.filter((x) => x.fault || x.status >= 400).length };
}

function tone(r: Snapshot): Tone | undefined {
  const { n, failed } = lately(r);
  if (n === 0) return undefined;
  if (failed === 0) return 'well';
  return failed * 2 > n ? 'need' : 'wait';
}

function Sentence({ r, filtered, outcome }: { r: Snapshot; filtered: boolean; outcome: boolean }) {
  const t = useT('monitor');
  const { n, failed } = lately(r);
  if (!r.ready) return t('say.asking');
  if (n === 0) return t(filtered ? 'say.nomatch' : 'say.none');
  if (outcome) return t(r.done ? 'say.match' : 'say.match.more', { n: r.rows.length });
  return failed === 0 ? t('say.well', { n }) : t('say.some', { n, failed });
}

function LiveState({ past, paused, reading, live }: { past: boolean; paused: boolean; reading: boolean; live: string }) {
  const t = useT('monitor');
  const state: [Tone, string] = past
    ? ['off', t('past')]
    : live === 'broken'
      ? ['need', t('broken')]
      : paused
        ? ['off', t('paused')]
        : reading
          ? ['wait', t('held')]
          : live === 'live' || live === 'connecting'
            ? ['well', t('live')]
            : ['off', ''];
  return (
    <span className="quiet" role="status">
      <Mark tone={state[0]} /> {state[1]}
    </span>
  );
}

const example: Row = {
  id: 'example',
  at: Date.now() - 40_000,
  served: 'claude-sonnet-4-5',
  account: 'work',
  key: 'default',
  client: 'claude-cli',
  inbound: 'anthropic',
  status: 200,
  partial: false,
  read: 10_300,
  cached: 9_100,
  written: 420,
  cost: 0.0127,
  first: 640,
  took: 4_200,
  tries: 1,
};

function Example({ columns }: { columns: Column<Row>[] }) {
  const shown = columns.filter((c) => !c.extra);
  return (
    <div className="tr" style={{ gridTemplateColumns: shown.map((c) => c.width).join(' ') }}>
      {shown.map((c) => (
        <div key={c.key} className="td" data-num={c.num || undefined}>
          <span className="td-cell">{c.cell(example)}</span>
        </div>
      ))}
    </div>
  );
}

import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useDeferredValue, useMemo, useState } from 'react';
import type { Account } from '../../api/client';
import { accounts } from '../../api/queries';
import { useCommands } from '../../app/commands';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button, Chips, Countdown, EmptyState, ErrorState, IconButton, Loaded, PageHead, Segments, Select, Table, sortRows, useColumns, type Chip, type Column, type Tone } from '../../kit';
import { useActs } from './acts';
import './accounts.css';
import { Add } from './add';
import { Bulk } from './bulk';
import { Cards } from './cards';
import { sortOf, sortText, useAccountColumns } from './columns';
import { filtered, groupOf, inGroup, vendorOf } from './data';
import { Detail } from './detail';
import { RowActs } from './rowacts';
import { groups, search, type Group, type Search } from './search';

const none: Account[] = [];

export default function Accounts() {
  const s = search(useSearch({ strict: false }));
  const t = useT('accounts');
  const navigate = useNavigate();
  const q = useQuery(accounts);
  const all = q.data ?? none;
  const acts = useActs();
  const set = useCallback((change: Partial<Search>) => void navigate({ to: '/accounts', search: (p) => ({ ...p, ...change }), replace: true }), [navigate]);
  const again = useCallback((name: string) => set({ open: name, add: 'again' }), [set]);
  const add = () => set({ add: 'choose' });

  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const choose = useCallback((names: string[]) => setChosen(new Set(names)), []);
  const mark = useCallback((name: string) => setChosen((c) => new Set(c.has(name) ? [...c].filter((n) => n !== name) : [...c, name])), []);

  const asked = useDeferredValue(s.q);
  const found = useMemo(() => filtered(all, { q: asked, provider: s.provider, tag: s.tag }), [all, asked, s.provider, s.tag]);
  const rows = useMemo(() => inGroup(found, s.state), [found, s.state]);
  const there = useMemo(() => new Set([...chosen].filter((n) => rows.some((a) => a.name === n))), [chosen, rows]);
  const base = useAccountColumns(there, mark);
  const columns: Column<Account>[] = [...base, { key: 'acts', head: t('more'), bare: true, width: '60px', fixed: true, num: true, cell: (a) => <RowActs a={a} all={all} acts={acts} again={again} /> }];
  const { chooser } = useColumns('accounts', columns);
  const sort = sortOf(s.sort);
  const opened = all.find((a) => a.name === s.open);

  useCommands([
    { name: t('add'), icon: 'plus', run: add },
    { name: t('import'), run: () => set({ add: 'import' }) },
  ]);

  const example = <Example columns={base} />;
  const nothing = all.some((a) => a.origin !== 'built_in') ? (
    <EmptyState title={t('empty.filter')} act={<Button onClick={() => set({ q: undefined, state: undefined, provider: undefined, tag: undefined })}>{t('empty.clear')}</Button>} />
  ) : (
    <EmptyState
      title={t('empty')}
      text={t('empty.text')}
      example={example}
      act={
        <Button look="main" icon="plus" onClick={add}>
          {t('add')}
        </Button>
      }
    />
  );

  return (
    <div className="page accounts">
      <Head all={q.data} add={add} />
      <Filter s={s} set={set} all={all} found={found} chooser={s.view === 'cards' ? null : chooser} />
      {acts.error !== undefined && !opened && (
        <div className="failed">
          <ErrorState error={acts.error} />
          <IconButton icon="close" label={t('dismiss')} onClick={acts.clear} />
        </div>
      )}
      <Bulk chosen={there} rows={rows} choose={choose} acts={acts} />
      <Loaded query={q} rows={10}>
        {() =>
          s.view === 'cards' && rows.length > 0 ? (
            <Cards rows={sortRows(rows, base, sort)} opened={s.open} onOpen={(a) => set({ open: a.name })} chosen={there} mark={mark} />
          ) : (
            <Table
              id="accounts"
              label={t('accounts')}
              rows={rows}
              columns={columns}
              rowKey={(a) => a.name}
              sort={sort}
              onSort={(x) => set({ sort: sortText(x) })}
              onOpen={(a) => set({ open: a.name })}
              onMark={(a) => mark(a.name)}
              opened={s.open}
              height="calc(100dvh - 236px)"
              empty={nothing}
            />
          )
        }
      </Loaded>
      {all.length > 0 && all.every((a) => a.origin === 'built_in') && rows.length > 0 && nothing}
      {opened && s.add !== 'again' && <Detail a={opened} all={all} acts={acts} onClose={() => set({ open: undefined })} again={again} />}
      {s.add && <Add way={s.add} again={opened} all={all} go={(way) => set({ add: way })} done={(name) => set({ add: undefined, open: name })} />}
    </div>
  );
}

/** Head says how the accounts are, in one sentence. */
function Head({ all, add }: { all?: Account[]; add: () => void }) {
  const t = useT('accounts');
  const on = (all ?? none).filter((a) => a.origin !== 'built_in' && a.state !== 'off');
  const ready = on.filter((a) => groupOf(a) === 'ready').length;
  const needs = on.filter((a) => groupOf(a) === 'needs').length;
  const until = on.flatMap((a) => (a.state === 'cooling' && a.until ? [a.until] : [])).sort()[0];
  const tone: Tone | undefined = !all ? undefined : on.length === 0 ? 'off' : needs > 0 || ready === 0 ? 'need' : ready < on.length ? 'wait' : 'well';
  return (
    <PageHead
      title={t('accounts')}
      tone={tone}
      sentence={
        !all ? (
          t('asking')
        ) : on.length === 0 ? (
          t(all.length > 0 ? 'verdict.simulator' : 'verdict.none')
        ) : (
          <>
            {t('verdict', { n: on.length, ready })} {needs > 0 && t('verdict.needs', { n: needs })} {until && needs === 0 && t.rich('verdict.back', { time: <Countdown until={until} /> })}
          </>
        )
      }
      acts={
        <Button look="main" icon="plus" onClick={add}>
          {t('add')}
        </Button>
      }
    />
  );
}

interface FilterProps {
  s: Search;
  set: (change: Partial<Search>) => void;
  all: Account[];
  found: Account[];
  chooser: React.ReactNode;
}

/** Filter narrows the list; what stands beside a group is how many it has. */
function Filter({ s, set, all, found, chooser }: FilterProps) {
  const t = useT('accounts');
  const vendors = useMemo(() => [...new Set(all.map(vendorOf))].sort(), [all]);
  const tags = useMemo(() => [...new Set(all.flatMap((a) => a.tags ?? []))].sort(), [all]);
  const count = (g: Group) => inGroup(found, g).length;
  const f = useFormat();
  const number = (n: number) => (n > 0 ? <span className="quiet num">{f.exact(n)}</span> : null);
  const chips: Chip[] = s.state === 'needy' ? [{ name: t('group'), value: t('group.needy'), remove: () => set({ state: undefined }) }] : [];
  return (
    <div className="filter-bar">
      <input type="search" className="input find" data-filter aria-label={t('find')} placeholder={t('find')} value={s.q ?? ''} onChange={(e) => set({ q: e.target.value || undefined })} />
      <Segments
        label={t('group')}
        value={s.state ?? ''}
        onChange={(v) => set({ state: (v || undefined) as Group | undefined })}
        options={[
          {
            value: '',
            label: (
              <>
                {t('group.all')} {number(found.length)}
              </>
            ),
          },
          ...groups.map((g) => ({
            value: g,
            label: (
              <>
                {t(`group.${g}`)} {number(count(g))}
              </>
            ),
          })),
        ]}
      />
      {vendors.length > 1 && (
        <Select compact label={t('col.vendor')} value={s.provider ?? ''} onChange={(v) => set({ provider: v || undefined })} options={[{ value: '', label: t('vendor.all') }, ...vendors.map((v) => ({ value: v, label: v }))]} />
      )}
      {(tags.length > 0 || s.tag) && (
        <Select compact label={t('col.tags')} value={s.tag ?? ''} onChange={(v) => set({ tag: v || undefined })} options={[{ value: '', label: t('tag.all') }, ...[...new Set([...tags, ...(s.tag ? [s.tag] : [])])].map((v) => ({ value: v, label: v }))]} />
      )}
      <Chips chips={chips} />
      <span className="grow" />
      <Segments
        label={t('view')}
        value={s.view ?? 'table'}
        onChange={(v) => set({ view: v === 'cards' ? 'cards' : undefined })}
        options={[
          { value: 'table', label: t('view.table') },
          { value: 'cards', label: t('view.cards') },
        ]}
      />
      {chooser}
    </div>
  );
}

const example: Account = {
  name: 'work',
  provider: 'anthropic',
  protocols: ['anthropic'],
  key: 'sk-…ab12',
  tags: [],
  models: [],
  priority: 0,
  weight: 1,
  limits: { rpm: 0, tpm: 0, concurrency: 0 },
  headers: [],
  options: [],
  origin: 'store',
  state: 'ready',
  text: '',
  trouble: [],
  in_flight: 1,
  served: 240,
  first_ms: 640,
  quota: [{ window: '5h', left_percent: 64 }],
};

function Example({ columns }: { columns: Column<Account>[] }) {
  const shown = columns.filter((c) => !c.extra && c.key !== 'mark');
  return (
    <div className="tr" style={{ gridTemplateColumns: ['24px', ...shown.map((c) => c.width), '60px'].join(' ') }}>
      <span />
      {shown.map((c) => (
        <div key={c.key} className="td" data-num={c.num || undefined}>
          <span className="td-cell">{c.cell(example)}</span>
        </div>
      ))}
    </div>
  );
}

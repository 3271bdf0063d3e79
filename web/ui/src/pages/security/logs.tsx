import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button, Chips, EmptyState, IconButton, Input, Loaded, Moment, Section, Table, useColumns, type Chip, type Column } from '../../kit';
import { acts, refused, type Act, type Note } from './data';
import type { Search } from './search';

/** Refused is who was refused at the gate, and why. */
export function Refused({ s }: { s: Search }) {
  const t = useT('security');
  const f = useFormat();
  const q = useInfiniteQuery(refused(s));
  const columns: Column<Note>[] = [
    { key: 'last', head: t('time'), width: '130px', cell: (n) => <Moment at={n.last} /> },
    { key: 'address', head: t('address'), width: 'minmax(120px, 1fr)', card: 'title', cell: (n) => <Narrow set={{ address: n.address }}>{n.address}</Narrow> },
    { key: 'code', head: t('refused.code'), width: 'minmax(160px, 1.4fr)', cell: (n) => <Narrow set={{ what: n.code }}>{n.code}</Narrow> },
    { key: 'key', head: t('refused.key'), width: 'minmax(90px, 1fr)', cell: (n) => (n.key ? <span className="mono">{n.key}</span> : t('none')) },
    { key: 'path', head: t('refused.path'), width: 'minmax(120px, 1.4fr)', cell: (n) => <span className="mono">{n.path}</span> },
    { key: 'count', head: t('refused.count'), width: '80px', num: true, cell: (n) => f.exact(n.count) },
    {
      key: 'deny',
      head: t('act'),
      width: '110px',
      cell: (n) => (
        <Link to="/security" search={{ tab: 'rules', add: 'deny', range: n.address }} className="button" data-look="quiet">
          {t('refused.deny')}
        </Link>
      ),
    },
  ];
  const example: Note = { first: new Date(0).toISOString(), last: new Date().toISOString(), address: '203.0.113.7', code: 'invalid_key', path: '/v1/models', count: 3 };
  return <Log s={s} id="refused" title={t('refused')} hint={t('refused.hint')} none={t('refused.none')} why={t('refused.none.why')} what={t('refused.code')} columns={columns} q={q} example={example} rowKey={(n) => `${n.first}${n.address}${n.code}${n.key ?? ''}${n.path}`} />;
}

/** Acts are what operators did. */
export function Acts({ s }: { s: Search }) {
  const t = useT('security');
  const q = useInfiniteQuery(acts(s));
  const columns: Column<Act>[] = [
    { key: 'at', head: t('time'), width: '130px', cell: (a) => <Moment at={a.at} /> },
    { key: 'what', head: t('acts.what'), width: 'minmax(140px, 1.2fr)', card: 'title', cell: (a) => <Narrow set={{ what: a.what }}>{a.what}</Narrow> },
    { key: 'whom', head: t('acts.whom'), width: 'minmax(140px, 2fr)', cell: (a) => (a.whom ? <span className="mono">{a.whom}</span> : t('none')) },
    { key: 'who', head: t('acts.who'), width: 'minmax(120px, 1.2fr)', cell: (a) => <span className="mono">{a.who}</span> },
    { key: 'address', head: t('address'), width: 'minmax(120px, 1fr)', cell: (a) => (a.address ? <Narrow set={{ address: a.address }}>{a.address}</Narrow> : t('acts.here')) },
  ];
  const example: Act = { at: new Date().toISOString(), what: 'add-key', whom: 'editor', who: 'token', address: '127.0.0.1' };
  return <Log s={s} id="acts" title={t('acts')} hint={t('acts.hint')} none={t('acts.none')} why={t('acts.none.why')} what={t('acts.what')} columns={columns} q={q} example={example} rowKey={(a) => `${a.at}${a.what}${a.whom ?? ''}`} />;
}

/** Narrow is a value that filters by itself. */
function Narrow({ set, children }: { set: Partial<Search>; children: string }) {
  return (
    <Link to="/security" search={(p) => ({ ...p, ...set })} replace className="mono">
      {children}
    </Link>
  );
}

interface LogProps<R> {
  s: Search;
  id: string;
  title: string;
  hint: string;
  none: string;
  why: string;
  what: string;
  columns: Column<R>[];
  q: { data?: { pages: { items: R[] | null }[] }; error: unknown; isPending: boolean; isFetching: boolean; hasNextPage: boolean; refetch: () => unknown; fetchNextPage: () => unknown };
  example: R;
  rowKey: (row: R) => string;
}

/** Log is a table of what happened, filtered by address and by what it was. */
function Log<R>({ s, id, title, hint, none, why, what, columns, q, example, rowKey }: LogProps<R>) {
  const t = useT('security');
  const kit = useT('kit');
  const navigate = useNavigate();
  const { chooser } = useColumns(id, columns);
  const set = (change: Partial<Search>) => void navigate({ to: '/security', search: (p) => ({ ...p, ...change }), replace: true });
  const chips: Chip[] = [];
  if (s.address) chips.push({ name: t('address'), value: s.address, remove: () => set({ address: undefined }) });
  if (s.what) chips.push({ name: what, value: s.what, remove: () => set({ what: undefined }) });
  let example_: ReactNode;
  if (chips.length === 0) example_ = <Table id={id} label={title} rows={[example]} columns={columns} rowKey={rowKey} />;
  return (
    <Section
      id={id}
      title={title}
      side={
        <>
          <IconButton icon="refresh" label={t('again')} onClick={() => void q.refetch()} />
          {chooser}
        </>
      }
    >
      <p className="quiet">{hint}</p>
      <div className="filter-bar">
        <Input
          key={s.address ?? ''}
          mono
          data-filter
          className="log-filter"
          aria-label={t('filter.address')}
          placeholder={t('filter.address')}
          defaultValue={s.address ?? ''}
          maxLength={64}
          onKeyDown={(e) => e.key === 'Enter' && set({ address: e.currentTarget.value.trim() || undefined })}
          onBlur={(e) => e.currentTarget.value.trim() !== (s.address ?? '') && set({ address: e.currentTarget.value.trim() || undefined })}
        />
        <Chips chips={chips} onClear={() => set({ address: undefined, what: undefined })} />
      </div>
      <Loaded query={{ ...q, data: q.data }} rows={6}>
        {(data) => {
          const rows = data.pages.flatMap((p) => p.items ?? []);
          if (rows.length === 0)
            return (
              <EmptyState
                title={chips.length > 0 ? t('filter.none') : none}
                text={chips.length > 0 ? undefined : why}
                example={example_}
                act={chips.length > 0 && <Button onClick={() => set({ address: undefined, what: undefined })}>{kit('filters.clear')}</Button>}
              />
            );
          return <Table id={id} label={title} rows={rows} columns={columns} rowKey={rowKey} height="62vh" onEnd={() => void (q.hasNextPage && !q.isFetching && q.fetchNextPage())} />;
        }}
      </Loaded>
    </Section>
  );
}

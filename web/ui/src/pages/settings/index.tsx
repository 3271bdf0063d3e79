import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Badge, Button, EmptyState, ErrorState, Input, Loaded, Moment, PageHead, Section, Select, Table, Tabs, notify, type Column } from '../../kit';
import { config, found, kindOf, said, snapshots, type Shown, type Snapshot } from './data';
import { FileText } from './file';
import { search, sources, tabs, type Search } from './search';
import './settings.css';

export default function Settings() {
  const t = useT('settings');
  const shell = useT('shell');
  const s = search(useSearch({ strict: false }));
  const navigate = useNavigate();
  const queries = useQueryClient();
  const q = useQuery(config);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const reload = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const { warnings } = await ask(api.POST('/api/reload'));
      await queries.invalidateQueries({ queryKey: config.queryKey });
      notify({ title: t('reloaded'), text: warnings?.join(' ') });
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const set = (q.data?.keys ?? []).filter((k) => kindOf(k) !== 'default').length;
  const bodies = {
    values: (
      <Loaded query={q} rows={8}>
        {(c) => <Values keys={c.keys ?? []} s={s} />}
      </Loaded>
    ),
    file: <FileText file={q.data?.file} />,
    copies: <Copies />,
  };
  return (
    <div className="page settings">
      <PageHead
        title={shell('nav.settings')}
        sentence={q.data ? t('verdict', { n: set, of: (q.data.keys ?? []).length }) : t('asking')}
        acts={
          <Button icon="refresh" busy={busy} onClick={() => void reload()}>
            {t('reload')}
          </Button>
        }
      />
      {error !== undefined && <ErrorState error={error} retry={() => void reload()} />}
      <Tabs
        label={shell('nav.settings')}
        value={s.tab ?? 'values'}
        onChange={(v) => void navigate({ to: '/settings', search: { tab: tabs.find((x) => x === v && x !== 'values') } })}
        tabs={tabs.map((v) => ({ value: v, label: t(`tab.${v}`), body: v === (s.tab ?? 'values') ? bodies[v] : null }))}
      />
    </div>
  );
}

/** Values are all keys of the configuration, each with what decided it. */
function Values({ keys, s }: { keys: Shown[]; s: Search }) {
  const t = useT('settings');
  const navigate = useNavigate();
  const set = (change: Partial<Search>) => void navigate({ to: '/settings', search: (p) => ({ ...p, ...change }), replace: true });
  const columns: Column<Shown>[] = [
    { key: 'key', head: t('key'), width: 'minmax(160px, 1.4fr)', card: 'title', cell: (k) => <code>{k.key}</code> },
    {
      key: 'value',
      head: t('value'),
      width: 'minmax(140px, 2fr)',
      cell: (k) => (
        <code className={kindOf(k) === 'default' ? 'clip quiet' : 'clip'} title={said(k.value)}>
          {said(k.value)}
        </code>
      ),
    },
    {
      key: 'source',
      head: t('source'),
      width: 'minmax(160px, 1.6fr)',
      cell: (k) => {
        const kind = kindOf(k);
        return (
          <span title={k.source}>
            {t(`source.${kind}`)} {kind !== 'default' && <code className="quiet">{k.source?.replace(/^(env|flag) /, '').replace(/^.*[\\/]/, '')}</code>}
          </span>
        );
      },
    },
    { key: 'lock', head: t('lock'), width: 'minmax(110px, 190px)', cell: (k) => (['env', 'flag'].includes(kindOf(k)) ? <Badge tone="wait">{t('locked')}</Badge> : t('free')) },
  ];
  return (
    <>
      <div className="filter-bar">
        <Input data-filter className="settings-filter" type="search" aria-label={t('find')} placeholder={t('find')} value={s.q ?? ''} onChange={(e) => set({ q: e.target.value || undefined })} />
        <Select compact label={t('source')} value={s.source ?? ''} onChange={(v) => set({ source: sources.find((x) => x === v) })} options={[{ value: '', label: t('source.all') }, ...sources.map((x) => ({ value: x, label: t(`source.${x}`) }))]} />
      </div>
      <p className="quiet">{t('values.hint')}</p>
      <Table id="settings" label={t('tab.values')} rows={found(keys, s)} columns={columns} rowKey={(k) => k.key} height="66vh" empty={<EmptyState title={t('find.none')} />} />
    </>
  );
}

/** Copies are the snapshots of the database that Portico made by itself. */
function Copies() {
  const t = useT('settings');
  const f = useFormat();
  const columns: Column<Snapshot>[] = [
    { key: 'name', head: t('copy.name'), width: 'minmax(180px, 2fr)', card: 'title', cell: (c) => <code>{c.name}</code> },
    { key: 'why', head: t('copy.why'), width: 'minmax(140px, 1fr)', cell: (c) => t(`copy.${c.why}`) },
    { key: 'made', head: t('copy.made'), width: '140px', cell: (c) => <Moment at={c.made} /> },
    { key: 'bytes', head: t('copy.bytes'), width: '100px', num: true, cell: (c) => f.bytes(c.bytes) },
  ];
  const example: Snapshot = { name: 'accounts-20270131T180000.000Z-daily.db', why: 'daily', made: new Date().toISOString(), bytes: 65_536 };
  return (
    <Section id="copies" title={t('tab.copies')}>
      <p className="quiet">{t('copies.hint')}</p>
      <Loaded query={useQuery(snapshots)}>
        {(all) => (all.length === 0 ? <EmptyState title={t('copies.none')} example={<Table id="copies" label={t('tab.copies')} rows={[example]} columns={columns} rowKey={(c) => c.name} />} /> : <Table id="copies" label={t('tab.copies')} rows={all} columns={columns} rowKey={(c) => c.name} />)}
      </Loaded>
    </Section>
  );
}

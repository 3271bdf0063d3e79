import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Failure } from '../../api/client';
import { accounts, models, status } from '../../api/queries';
import { useT } from '../../i18n';
import { Button, Chips, Countdown, Loaded, PageHead, Segments, Select } from '../../kit';
import { Attention, Best, Connect, Quotas } from './aside';
import './dashboard.css';
import { overview, own, verdict } from './data';
import { Figures } from './figures';
import { Recent } from './recent';
import { search, windows, type Search, type Window } from './search';

export default function Dashboard() {
  const s = search(useSearch({ strict: false }));
  const o = useQuery(overview(s));
  return (
    <div className="page dashboard">
      <Head />
      <Filter s={s} />
      <Loaded query={o} rows={6}>
        {(data) => <Figures o={data} s={s} />}
      </Loaded>
      <div className="columns">
        <div className="column">
          <Recent s={s} />
          <Quotas />
        </div>
        <div className="column">
          <Connect served={(o.data?.totals.requests ?? 0) > 0} />
          <Attention />
          <Best />
        </div>
      </div>
    </div>
  );
}

function Head() {
  const t = useT('dashboard');
  const shell = useT('shell');
  const faults = useT('faults');
  const navigate = useNavigate();
  const { data: st, error } = useQuery(status);
  const all = useQuery(accounts).data;
  const v = st && all && verdict(st, all);
  const silent = error instanceof Failure && error.kind === 'down';
  const sentence = () => {
    if (silent) return shell('silent');
    if (!v) return t('verdict.asking');
    switch (v.say) {
      case 'needs':
        return `${t('verdict.needs', { n: v.n, account: v.account, why: faults.maybe(v.why ?? '') ?? t('state.down') })} ${t('verdict.some', { n: v.of, ready: v.ready })}`;
      case 'some':
      case 'waiting':
        return [t(`verdict.${v.say}`, { n: v.n, ready: v.ready }), ' ', ...(v.until ? t.rich('verdict.back', { time: <Countdown until={v.until} /> }) : [])];
      case 'all':
        return t('verdict.all', { n: own(all ?? []).filter((a) => a.state === 'ready').length });
      default:
        return t(`verdict.${v.say}`);
    }
  };
  return (
    <PageHead
      title={shell('nav.dashboard')}
      tone={silent ? 'need' : v?.tone}
      sentence={sentence()}
      acts={
        <>
          <Button icon="plus" onClick={() => void navigate({ to: '/accounts', search: { add: 'choose' } })}>
            {t('act.account')}
          </Button>
          <Button look="main" onClick={() => void navigate({ to: '/proxy', search: { tab: 'connect' } })}>
            {t('act.client')}
          </Button>
        </>
      }
    />
  );
}

/** Filter is the one filter of figures, chart and rows. */
function Filter({ s }: { s: Search }) {
  const t = useT('dashboard');
  const navigate = useNavigate();
  const set = (change: Partial<Search>) => void navigate({ to: '/', search: (p) => ({ ...p, ...change }), replace: true });
  const names = (useQuery(accounts).data ?? []).map((a) => a.name);
  const ids = (useQuery(models).data ?? []).map((m) => m.id);
  const pick = (kind: 'account' | 'model', all: string[]) => (
    <Select
      compact
      label={t(`filter.${kind}`)}
      value={s[kind] ?? ''}
      onChange={(v) => set({ [kind]: v || undefined })}
      options={[{ value: '', label: t(`filter.${kind}.all`) }, ...[...new Set([...all, ...(s[kind] ? [s[kind]] : [])])].map((v) => ({ value: v, label: v }))]}
    />
  );
  return (
    <div className="filter-bar">
      <Segments label={t('filter.window')} value={s.window ?? '24h'} onChange={(v) => set({ window: v === '24h' ? undefined : (v as Window) })} options={windows.map((w) => ({ value: w, label: t(`window.${w}`) }))} />
      {pick('account', names)}
      {pick('model', ids)}
      <Chips chips={s.key ? [{ name: t('filter.key'), value: s.key, remove: () => set({ key: undefined }) }] : []} />
    </div>
  );
}

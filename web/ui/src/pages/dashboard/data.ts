import { queryOptions } from '@tanstack/react-query';
import { api, ask, type Account, type Overview, type Request, type Status } from '../../api/client';
import { familyOf, type FamilyName, type Tone } from '../../kit';
import { hours, type Search } from './search';

/** since is the beginning of the window that ends now. */
export function since(s: Search, now = Date.now()): string {
  return new Date(now - hours[s.window ?? '24h'] * 3_600_000).toISOString();
}

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** The filter as the API takes it. */
const filter = (s: Search) => ({ account: s.account, model: s.model, key: s.key });

export const overview = (s: Search) =>
  queryOptions({
    queryKey: ['overview', s.window, s.account, s.model, s.key],
    queryFn: ({ signal }) => ask(api.GET('/api/overview', { signal, params: { query: { since: since(s), zone, ...filter(s) } } })),
    refetchInterval: 5_000,
    placeholderData: (before) => before,
  });

export const latest = (s: Search) =>
  queryOptions({
    queryKey: ['latest', s.window, s.account, s.model, s.key],
    queryFn: async ({ signal }) => (await ask(api.GET('/api/requests', { signal, params: { query: { limit: 10, since: since(s), ...filter(s) } } }))).items ?? [],
    staleTime: Number.POSITIVE_INFINITY, // the live feed goes on from there
  });

/** matches says whether a request of the live feed is one of the filter. */
export function matches(s: Search, r: Request): boolean {
  return (!s.account || r.account === s.account) && (!s.model || r.served === s.model || r.asked === s.model) && (!s.key || r.key === s.key);
}

export const families = ['anthropic', 'gemini', 'openai', 'local'] as const satisfies FamilyName[];

const protocols = { anthropic: 'anthropic', gemini: 'gemini', openai: 'openai-chat', local: 'openai-chat' } as const;

/** sample is the model that stands for a family: the highest version of those that are no small or special kind. */
export function sample(models: { id: string }[], family: FamilyName): string | undefined {
  const special = /embed|image|audio|tts|whisper|realtime/i;
  const small = (id: string) => (/mini|nano|lite|flash|haiku|tools|thinking|fast/i.test(id) ? 1 : 0);
  return models
    .map((m) => m.id)
    .filter((id) => familyOf(id) === family && !special.test(id))
    .sort((a, b) => small(a) - small(b) || b.localeCompare(a, 'en', { numeric: true }))[0];
}

export const foresee = (family: (typeof families)[number], model: string) =>
  queryOptions({
    queryKey: ['foresee', family, model],
    queryFn: ({ signal }) => ask(api.POST('/api/explain', { signal, body: { model, protocol: protocols[family], op: 'chat' } })),
    refetchInterval: 10_000,
  });

/** own are the accounts that somebody added: all but those that are built in. */
export function own(accounts: Account[]): Account[] {
  return accounts.filter((a) => a.origin !== 'built_in');
}

/** needy are the accounts that want a look, the worst first. */
export function needy(accounts: Account[]): Account[] {
  const rank: Partial<Record<Account['state'], number>> = { needs_login: 0, down: 1, cooling: 2 };
  return accounts.filter((a) => rank[a.state] !== undefined).sort((a, b) => (rank[a.state] ?? 9) - (rank[b.state] ?? 9) || (a.until ?? '').localeCompare(b.until ?? ''));
}

export function toneOf(state: Account['state']): Tone {
  if (state === 'ready') return 'well';
  if (state === 'off') return 'off';
  return state === 'down' || state === 'needs_login' ? 'need' : 'wait';
}

export type Verdict =
  | { tone: Tone; say: 'none' | 'simulator' | 'all' }
  | { tone: Tone; say: 'needs'; account: string; why?: string; ready: number; n: number; of: number }
  | { tone: Tone; say: 'some' | 'waiting'; ready: number; n: number; until?: string };

/** verdict is how the gateway is, for one sentence. It is pure. */
export function verdict(status: Status, accounts: Account[]): Verdict {
  const on = own(accounts).filter((a) => a.state !== 'off');
  if (on.length === 0) return status.simulator ? { tone: 'wait', say: 'simulator' } : { tone: 'need', say: 'none' };
  const ready = on.filter((a) => a.state === 'ready' || a.state === 'trial').length;
  const until = on
    .map((a) => (a.state === 'cooling' ? a.until : undefined))
    .filter((u) => u !== undefined)
    .sort()[0];
  const need = on.filter((a) => toneOf(a.state) === 'need');
  if (ready === 0 && need.length < on.length) return { tone: 'need', say: 'waiting', ready, n: on.length, until };
  if (need.length > 0) return { tone: 'need', say: 'needs', account: need[0]?.name ?? '', why: need[0]?.why, ready, n: need.length, of: on.length };
  if (ready < on.length) return { tone: 'wait', say: 'some', ready, n: on.length, until };
  return { tone: 'well', say: 'all' };
}

/** A line is one figure over the whole window, with nulls or zeros where nothing was asked. */
export interface Line {
  times: number[];
  requests: number[];
  failed: number[];
  tokens: number[];
  cost: number[];
  served: (number | null)[];
  cache: (number | null)[];
}

/** line spreads the buckets of an overview over its window. */
export function line(o: Overview): Line {
  const l: Line = { times: [], requests: [], failed: [], tokens: [], cost: [], served: [], cache: [] };
  const step = o.step_s;
  const buckets = new Map((o.buckets ?? []).map((b) => [Math.floor(Date.parse(b.start) / 1000), b]));
  const anchor = buckets.keys().next().value ?? 0; // days begin at midnight here, not in UTC
  const first = Math.floor(Date.parse(o.since) / 1000);
  const offset = (((anchor % step) - (first % step)) % step) - step;
  for (let at = first + offset; at <= Date.parse(o.until) / 1000; at += step) {
    if (at + step <= first) continue;
    const b = buckets.get(at);
    l.times.push(at);
    l.requests.push(b?.requests ?? 0);
    l.failed.push(b?.failed ?? 0);
    l.tokens.push(b?.total ?? 0);
    l.cost.push(b?.cost_usd ?? 0);
    l.served.push(b ? (b.requests - b.failed) / b.requests : null);
    const read = b ? b.input + b.cache_read + b.cache_write : 0;
    l.cache.push(b && read > 0 ? b.cache_read / read : null);
  }
  return l;
}

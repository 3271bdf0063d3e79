import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, ask, type Check, type Schemas } from '../../api/client';
import type { Tone } from '../../kit';
import type { Search } from './search';

export type Rule = Schemas['AddressRule'];
export type Session = Schemas['Session'];
export type Note = Schemas['GateNote'];
export type Act = Schemas['Act'];

export const self = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => ask(api.GET('/api/session', { signal })),
});

export const sessions = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/sessions', { signal }))).items ?? [],
  refetchInterval: 15_000,
});

export const rules = queryOptions({
  queryKey: ['rules'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/access/rules', { signal }))).items ?? [],
  refetchInterval: 15_000,
});

const page = 100;

export const refused = (s: Search) =>
  infiniteQueryOptions({
    queryKey: ['refused', s.address, s.what],
    queryFn: ({ signal, pageParam }) => ask(api.GET('/api/access/log', { signal, params: { query: { limit: page, address: s.address, code: s.what, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
  });

export const acts = (s: Search) =>
  infiniteQueryOptions({
    queryKey: ['acts', s.address, s.what],
    queryFn: ({ signal, pageParam }) => ask(api.GET('/api/audit', { signal, params: { query: { limit: page, address: s.address, what: s.what, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
  });

export const tones: Record<Check['state'], Tone> = { ok: 'well', warn: 'wait', fail: 'need' };

/** worst puts checks in order: what needs somebody first. It is pure. */
export function worst(checks: Check[]): Check[] {
  const rank = { fail: 0, warn: 1, ok: 2 };
  return [...checks].sort((a, b) => rank[a.state] - rank[b.state]);
}

/** browserOf is what a browser calls itself, in two words. It is pure. */
export function browserOf(agent: string | undefined): string | undefined {
  if (!agent) return undefined;
  const name = /(Edg|OPR|Firefox|HeadlessChrome|Chrome|Safari|curl)\b/.exec(agent)?.[1];
  const system = /Android|iPhone|iPad|Windows|Mac OS X|Linux/.exec(agent)?.[0];
  if (!name) return agent.slice(0, 40);
  const plain: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', HeadlessChrome: 'Chrome', 'Mac OS X': 'macOS' };
  return [name, system].filter((x) => x !== undefined).map((x) => plain[x] ?? x).join(' · ');
}

export const spans = ['never', '1h', '1d', '7d', '30d'] as const;

/** expiry is the moment after a span from now; nothing for what stays. It is pure. */
export function expiry(span: string, now = Date.now()): string | undefined {
  const hours: Record<string, number> = { '1h': 1, '1d': 24, '7d': 168, '30d': 720 };
  const h = hours[span];
  return h === undefined ? undefined : new Date(now + h * 3_600_000).toISOString();
}

import { queryOptions } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import type { Protocol } from './search';

export type ClientKey = Schemas['ClientKey'];
export type KeyChange = Schemas['KeyChange'];
export type Outlook = Schemas['ExplainOutlook'];
export type Target = Schemas['ExplainTarget'];
export type Candidate = Schemas['ExplainCandidate'];
export type Shown = Schemas['ConfigShown'];

export const config = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => ask(api.GET('/api/config', { signal })),
  staleTime: 10_000,
});

export const keys = queryOptions({
  queryKey: ['keys'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/keys', { signal }))).items ?? [],
  refetchInterval: 10_000,
});

/** outlook is what would happen to a request. Nothing is sent. */
export function outlook(model: string, protocol: Protocol, key: string | undefined) {
  return queryOptions({
    queryKey: ['outlook', model, protocol, key],
    queryFn: ({ signal }) => ask(api.POST('/api/explain', { signal, body: { model, protocol, op: 'chat', ...(key ? { key } : {}) } })),
    refetchInterval: 10_000,
  });
}

/** setting is a key of the configuration with its value and where that comes from. */
export function setting(all: Shown[] | null | undefined, key: string): Shown | undefined {
  return all?.find((s) => s.key === key);
}

/** A Rule is a route as the file has it. */
export interface Rule {
  match: string;
  to: string[];
  /** What else it asks or says, as the file names it. */
  more: string[];
}

const words = (v: unknown): string[] => (Array.isArray(v) ? v.map(String) : v === '' || v === undefined || v === null ? [] : [String(v)]);

/** rules are the routes, the aliases and the presets of the configuration, each with the key that they stand under. */
export function rules(all: Shown[] | null | undefined): { key: string; source: string; rules: Rule[] }[] {
  const out: { key: string; source: string; rules: Rule[] }[] = [];
  const routes = setting(all, 'routes');
  if (Array.isArray(routes?.value) && routes.value.length > 0) {
    const list = (routes.value as Shown[][]).map((r) => ({
      match: words(setting(r, 'match')?.value).join(),
      to: words(setting(r, 'to')?.value),
      more: r.filter((s) => s.key !== 'match' && s.key !== 'to').map((s) => `${s.key}: ${words(s.value).join(', ')}`),
    }));
    out.push({ key: 'routes', source: routes.source ?? '', rules: list });
  }
  for (const key of ['routing.presets', 'aliases']) {
    const s = setting(all, key);
    const table = Object.entries((s?.value ?? {}) as Record<string, unknown>);
    if (table.length > 0) out.push({ key, source: s?.source ?? '', rules: table.map(([match, to]) => ({ match, to: words(to), more: [] })) });
  }
  const background = setting(all, 'routing.background');
  if (background?.value) out.push({ key: 'routing.background', source: background.source ?? '', rules: [{ match: '*', to: words(background.value), more: [] }] });
  return out;
}

/** where is the file and line of a value, without the folder; nothing if nobody set it. */
export function where(source: string | undefined): string | undefined {
  return !source || source === 'default' ? undefined : source.replace(/^.*[\\/]/, '');
}

const reasons = [
  ['waits', /still waiting|^cooling/],
  ['needs', /needs attention/],
  ['login', /needs a login/],
  ['parallel', /limit of parallel/],
  ['rate', /limit of requests/],
  ['protected', /quota/],
  ['trial', /^on trial/],
] as const;

/** reasonOf is what keeps an account from serving, if it is one of those that have words in every language. */
export function reasonOf(why: string): (typeof reasons)[number][0] | undefined {
  return reasons.find(([, form]) => form.test(why))?.[0];
}

/** A Draft is a key's settings as they stand in a form. */
export interface Draft {
  note: string;
  models: string;
  addresses: string;
  hours: string;
  zone: string;
  expires: string; // a day, or nothing
  rpm: string;
  tpm: string;
  concurrency: string;
  dayUsd: string;
  dayTokens: string;
  monthUsd: string;
  monthTokens: string;
}

const number = (n: number) => (n > 0 ? String(n) : '');

/** draftOf fills a form with a key's settings. */
export function draftOf(k?: ClientKey): Draft {
  return {
    note: k?.note ?? '',
    models: (k?.models ?? []).join(', '),
    addresses: (k?.addresses ?? []).join(', '),
    hours: (k?.hours ?? []).join('; '),
    zone: k?.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    expires: k?.expires ? day(k.expires) : '',
    rpm: number(k?.rpm ?? 0),
    tpm: number(k?.tpm ?? 0),
    concurrency: number(k?.concurrency ?? 0),
    dayUsd: number(k?.day.usd ?? 0),
    dayTokens: number(k?.day.tokens ?? 0),
    monthUsd: number(k?.month.usd ?? 0),
    monthTokens: number(k?.month.tokens ?? 0),
  };
}

function day(at: string): string {
  const d = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

const list = (s: string, by: RegExp) => s.split(by).map((x) => x.trim()).filter(Boolean);
const amount = (s: string) => (s.trim() === '' ? 0 : Number(s));

/** changeOf is what a form says that differs from what it was filled with. A key ends when its last day here does. */
export function changeOf(d: Draft, was: Draft): KeyChange {
  const differs = (...names: (keyof Draft)[]) => names.some((n) => d[n] !== was[n]);
  const out: KeyChange = {};
  if (differs('note')) out.note = d.note;
  if (differs('models')) out.models = list(d.models, /[,\n]/);
  if (differs('addresses')) out.addresses = list(d.addresses, /[,\n]/);
  if (differs('hours')) out.hours = list(d.hours, /[;\n]/);
  if (differs('zone')) out.zone = d.zone.trim();
  if (differs('expires')) out.expires = d.expires ? new Date(`${d.expires}T23:59:59`).toISOString() : 'never';
  if (differs('rpm')) out.rpm = amount(d.rpm);
  if (differs('tpm')) out.tpm = amount(d.tpm);
  if (differs('concurrency')) out.concurrency = amount(d.concurrency);
  if (differs('dayUsd', 'dayTokens')) out.day = { usd: amount(d.dayUsd), tokens: amount(d.dayTokens) };
  if (differs('monthUsd', 'monthTokens')) out.month = { usd: amount(d.monthUsd), tokens: amount(d.monthTokens) };
  return out;
}

import { queryOptions } from '@tanstack/react-query';
import { api, ask, type Account, type Quota, type Schemas } from '../../api/client';
import type { Tone } from '../../kit';
import type { Group, Search } from './search';

export type Vendor = Schemas['Vendor'];
export type Draft = Schemas['Draft'];

export const vendors = queryOptions({
  queryKey: ['vendors'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/vendors', { signal }))).items ?? [],
  staleTime: Number.POSITIVE_INFINITY, // they come with the program
});

/** groupOf is what people call the state of an account. One that goes, but not for all of its models, is limited. */
export function groupOf(a: Account): Exclude<Group, 'needy'> {
  if (a.state === 'off') return 'off';
  if (a.state === 'down' || a.state === 'needs_login') return 'needs';
  if (a.state === 'cooling' || a.state === 'trial') return 'limited';
  const short = a.trouble?.some((x) => x.state !== 'ready') || a.quota?.some((x) => x.protected);
  return short ? 'limited' : 'ready';
}

const tones: Record<Exclude<Group, 'needy'>, Tone> = { ready: 'well', limited: 'wait', needs: 'need', off: 'off' };

export const toneOf = (a: Account): Tone => tones[groupOf(a)];

/** leftOf is the share of the scarcest window, or nothing if nobody says. */
export function leftOf(a: Account): number | undefined {
  const known = (a.quota ?? []).flatMap((q) => (q.left_percent == null ? [] : [q.left_percent]));
  return known.length > 0 ? Math.min(...known) : undefined;
}

export const toneOfQuota = (q: Quota): Tone => (q.protected || (q.left_percent != null && q.left_percent < 10) ? 'need' : q.runs_dry ? 'wait' : 'well');

/** vendorOf is the vendor by the name that the account has for it. */
export const vendorOf = (a: Pick<Account, 'provider' | 'preset'>) => a.preset || a.provider;

/** filtered are the accounts that the address asks for, whatever their state. */
export function filtered(all: Account[], s: Search): Account[] {
  const words = (s.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter((a) => {
    if (s.provider && vendorOf(a) !== s.provider) return false;
    if (s.tag && !a.tags?.includes(s.tag)) return false;
    if (words.length === 0) return true;
    const text = [a.name, a.label, a.provider, a.preset, a.login, a.key, ...(a.tags ?? []), ...(a.models ?? [])].join(' ').toLowerCase();
    return words.every((w) => text.includes(w));
  });
}

/** inGroup are those of a group. */
export function inGroup(all: Account[], group: Group | undefined): Account[] {
  if (!group) return all;
  return all.filter((a) => {
    const g = groupOf(a);
    return group === 'needy' ? g === 'needs' || a.state === 'cooling' : g === group;
  });
}

/** movable are the accounts whose order is ours to change, in that order. */
export const movable = (all: Account[]) => all.filter((a) => a.origin === 'store').map((a) => a.name);

/** moved is the order once name has gone by step, or to the top. */
export function moved(names: string[], name: string, step: -1 | 1 | 'top'): string[] {
  const from = names.indexOf(name);
  const to = step === 'top' ? 0 : from + step;
  if (from < 0 || to < 0 || to >= names.length) return names;
  const out = names.filter((n) => n !== name);
  out.splice(to, 0, name);
  return out;
}

/** freeName is a name that no account has yet. */
export function freeName(all: Account[], wish: string): string {
  const taken = new Set(all.map((a) => a.name));
  let name = wish;
  for (let i = 2; taken.has(name); i++) name = `${wish}-${i}`;
  return name;
}

// The language of the filter: field:value and plain words. What it says stands in
// the address under the names of /api/requests; chips write it back.
import type { Request } from '../../api/client';
import type { Search } from './search';

/** Names by which a field is written; the first is the one that chips show. */
type Name = 'status' | 'model' | 'account' | 'key' | 'client' | 'session' | 'protocol' | 'outbound' | 'op' | 'fault' | 'dur' | 'tok' | 'since' | 'until' | 'text';

interface Field {
  to: keyof Search;
  /** What one may write, for who wrote something else. */
  example: string;
  /** The value for the address; nothing if it is none. */
  read: (v: string) => string | undefined;
  /** The value as one writes it. */
  write?: (v: string) => string;
}

const any = (v: string) => v || undefined;
const among = (known: readonly string[]) => (v: string) => known.find((k) => k === v) ?? known.find((k) => k.startsWith(v));

export const protocols = ['openai-chat', 'openai-responses', 'anthropic', 'gemini'] as const;
const ops = ['chat', 'complete', 'count', 'embed', 'other'];

const spans: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** span reads 5s, 800ms, 2m: milliseconds. Without a unit they are seconds. */
function span(v: string): number | undefined {
  const m = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|d)?$/.exec(v);
  return m ? Math.round(Number(m[1]) * (spans[m[2] ?? 's'] ?? 1)) : undefined;
}

function writeSpan(v: string): string {
  const ms = Number(v);
  const [unit, size] = (['h', 'm', 's'] as const).map((u) => [u, spans[u] ?? 1] as const).find(([, n]) => ms >= n && ms % n === 0) ?? ['ms', 1];
  return `>=${ms / size}${unit}`;
}

const least = (v: string) => v.replace(/^>=?/, '');

function readTokens(v: string): string | undefined {
  const m = /^(\d+(?:\.\d+)?)([km])?$/i.exec(least(v));
  return m ? String(Math.round(Number(m[1]) * ({ k: 1000, m: 1_000_000 }[m[2]?.toLowerCase() ?? ''] ?? 1))) : undefined;
}

function writeTokens(v: string): string {
  const n = Number(v);
  if (n >= 1_000_000 && n % 100_000 === 0) return `>=${n / 1_000_000}m`;
  return n >= 1000 && n % 100 === 0 ? `>=${n / 1000}k` : `>=${n}`;
}

function readStatus(v: string): string | undefined {
  const m = /^(>=|>|<=|<)?([1-5]\d\d)$/.exec(v);
  if (!m) return /^[1-5]xx$/i.test(v) ? v.toLowerCase() : undefined;
  const n = Number(m[2]);
  if (m[1] === '>') return `>=${n + 1}`;
  if (m[1] === '<=') return `<${n + 1}`;
  return `${m[1] ?? ''}${n}`;
}

/** moment reads a date, a date with a time, or how long ago. */
function moment(v: string, now = Date.now()): string | undefined {
  const ago = span(v);
  const at = ago !== undefined && /[a-z]$/.test(v) ? now - ago : Date.parse(v.length === 10 ? `${v}T00:00` : v);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** local writes a moment in the zone of the browser, so that it can be read back. */
function local(v: string): string {
  const d = new Date(v);
  if (Number.isNaN(d.getTime())) return v;
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(d.getHours())}:${two(d.getMinutes())}${d.getSeconds() ? `:${two(d.getSeconds())}` : ''}`;
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${time}`;
}

export const fields: Record<Name, Field> = {
  status: { to: 'status', example: '429, 5xx, >=400', read: readStatus },
  model: { to: 'model', example: 'gpt-5, claude-*', read: any },
  account: { to: 'account', example: 'work', read: any },
  key: { to: 'key', example: 'ci', read: any },
  client: { to: 'client', example: 'opencode', read: any },
  session: { to: 'session', example: 's1', read: any },
  protocol: { to: 'protocol', example: protocols.join(', '), read: among(protocols) },
  outbound: { to: 'outbound', example: protocols.join(', '), read: among(protocols) },
  op: { to: 'op', example: ops.join(', '), read: among(ops) },
  fault: { to: 'fault', example: 'any, none, rate_limited', read: (v) => (/^[a-z_]+$/.test(v) ? v : undefined) },
  dur: {
    to: 'min_took_ms',
    example: '>5s, >800ms',
    read: (v) => {
      const ms = span(least(v));
      return ms !== undefined && ms <= 86_400_000 ? String(ms) : undefined;
    },
    write: writeSpan,
  },
  tok: { to: 'min_tokens', example: '>10k', read: readTokens, write: writeTokens },
  since: { to: 'since', example: '1h, 2026-11-25, 2026-11-25T09:30', read: moment, write: local },
  until: { to: 'until', example: '10m, 2026-11-25T10:00', read: moment, write: local },
  text: { to: 'text', example: 'claude', read: any },
};

const also: Record<string, Name> = { acct: 'account', acc: 'account', proto: 'protocol', from: 'since', to: 'until', took: 'dur', duration: 'dur', tokens: 'tok', error: 'fault' };

/** Wrong is what of a filter means nothing: a name that is none, or a value that its field does not take. */
export interface Wrong {
  name: string;
  value?: string;
  example?: string;
}

/** parse reads what somebody wrote. Words without a field look for a part of a name. */
export function parse(written: string): { found: Partial<Search>; wrong: Wrong[] } {
  const found: Partial<Search> = {};
  const wrong: Wrong[] = [];
  const words: string[] = [];
  for (const [, name, whole = '', quoted] of written.matchAll(/(?:([a-z]+):)?("([^"]*)"?|\S+)/gi)) {
    const value = quoted ?? whole;
    if (!name) {
      words.push(value);
      continue;
    }
    const lower = name.toLowerCase();
    const known = also[lower] ?? (lower in fields ? (lower as Name) : undefined);
    if (!known) {
      wrong.push({ name });
      continue;
    }
    const read = fields[known].read(value);
    if (read === undefined) wrong.push({ name: known, value, example: fields[known].example });
    else found[fields[known].to] = read;
  }
  if (words.length > 0) found.text = words.join(' ');
  return { found, wrong };
}

export interface Term {
  name: Name;
  to: keyof Search;
  value: string;
}

/** terms are what a filter says, each as one would write it. */
export function terms(s: Search): Term[] {
  return Object.entries(fields).flatMap(([name, f]) => {
    const v = s[f.to];
    return v === undefined ? [] : [{ name: name as Name, to: f.to, value: f.write?.(v) ?? v }];
  });
}

/** written is a term as it stands in the field. */
export function written(t: Term): string {
  const value = /\s/.test(t.value) ? `"${t.value}"` : t.value;
  return t.name === 'text' ? value : `${t.name}:${value}`;
}

/** query is the filter as the API takes it. */
export function query(s: Search) {
  const { open: _, min_tokens, min_took_ms, ...rest } = s;
  type Query = Omit<typeof rest, 'protocol' | 'outbound' | 'op'> & {
    protocol?: (typeof protocols)[number];
    outbound?: (typeof protocols)[number];
    op?: 'chat' | 'complete' | 'count' | 'embed' | 'other';
    min_tokens?: number;
    min_took_ms?: number;
  };
  return { ...rest, min_tokens: min_tokens === undefined ? undefined : Number(min_tokens), min_took_ms: min_took_ms === undefined ? undefined : Number(min_took_ms) } as Query;
}

function isStatus(want: string, got: number): boolean {
  if (want.endsWith('xx')) return Math.floor(got / 100) === Number(want[0]);
  if (want.startsWith('>=')) return got >= Number(want.slice(2));
  return want.startsWith('<') ? got < Number(want.slice(1)) : got === Number(want);
}

/** isModel is what the ledger does: the first four * stand for any text, and then case does not matter. */
function isModel(want: string, got: string | undefined): boolean {
  if (!want.includes('*')) return got === want;
  let stars = 0;
  const pattern = want.replace(/[\\^$.*+?()[\]{}|]/g, (c) => (c === '*' && stars++ < 4 ? '.*' : `\\${c}`));
  return got !== undefined && new RegExp(`^${pattern}$`, 'i').test(got);
}

/** matches says of a request of the live feed what the ledger says of one of its own. */
export function matches(s: Search, r: Request): boolean {
  const is = (want: string | undefined, got: string | undefined) => want === undefined || want === got;
  const u = r.usage;
  const total = u ? u.input + u.cache_read + u.cache_write + u.output + u.reasoning : 0;
  const text = s.text?.toLowerCase();
  return (
    is(s.account, r.account) &&
    is(s.key, r.key) &&
    is(s.client, r.client) &&
    is(s.session, r.session) &&
    is(s.protocol, r.inbound) &&
    is(s.outbound, r.outbound) &&
    is(s.op, r.op) &&
    (s.model === undefined || isModel(s.model, r.served) || isModel(s.model, r.asked)) &&
    (s.fault === undefined || (s.fault === 'any' ? !!r.fault : s.fault === 'none' ? !r.fault : s.fault === r.fault)) &&
    (s.status === undefined || isStatus(s.status, r.status)) &&
    (s.min_tokens === undefined || total >= Number(s.min_tokens)) &&
    (s.min_took_ms === undefined || r.took_ns >= Number(s.min_took_ms) * 1e6) &&
    (s.since === undefined || Date.parse(r.start) >= Date.parse(s.since)) &&
    (s.until === undefined || Date.parse(r.start) < Date.parse(s.until)) &&
    (text === undefined || [r.id, r.served, r.asked, r.account].some((v) => v?.toLowerCase().includes(text)))
  );
}

import { queryOptions } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import type { Grain, PartName, Search } from './search';

export type UsageRow = Schemas['UsageRow'];

export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** begin is the first moment of the window: 24 hours, 30 days, 12 weeks or 12 months, each whole in the zone of the browser. */
export function begin(grain: Grain, now = new Date()): Date {
  const d = new Date(now);
  d.setMinutes(0, 0, 0);
  if (grain === 'hour') return new Date(d.getTime() - 23 * 3_600_000);
  d.setHours(0);
  if (grain === 'day') d.setDate(d.getDate() - 29);
  else if (grain === 'week') d.setDate(d.getDate() - ((d.getDay() + 6) % 7) - 11 * 7);
  else d.setMonth(d.getMonth() - 11, 1);
  return d;
}

/** next is the beginning of the step after the one that begins at d. */
export function next(grain: Grain, d: Date): Date {
  const n = new Date(d);
  if (grain === 'hour') return new Date(d.getTime() + 3_600_000);
  if (grain === 'month') n.setMonth(n.getMonth() + 1);
  else n.setDate(n.getDate() + (grain === 'week' ? 7 : 1));
  return n;
}

export const usage = (s: Search) => {
  const grain = s.grain ?? 'day';
  const by = s.by ?? 'model';
  return queryOptions({
    queryKey: ['usage', grain, by, s.account, s.model, s.key],
    queryFn: async ({ signal }) => {
      const since = begin(grain);
      const query = { since: since.toISOString(), zone, by: [grain === 'week' ? 'day' : grain, by] as const, account: s.account, model: s.model, key: s.key };
      const rows = (await ask(api.GET('/api/usage', { signal, params: { query: { ...query, by: [...query.by] } } }))).items ?? [];
      return { rows, since, until: new Date() };
    },
    refetchInterval: 15_000,
  });
};

/** A Sum is what one name used, over all of the window and in each of its steps. */
export interface Sum {
  name: string;
  requests: number;
  failed: number;
  unpriced: number;
  input: number;
  cached: number;
  written: number; // to a cache
  output: number;
  reasoning: number;
  total: number;
  cost: number;
  tokens: number[];
  costs: number[];
}

const sum = (name: string, steps: number): Sum => ({
  name,
  requests: 0,
  failed: 0,
  unpriced: 0,
  input: 0,
  cached: 0,
  written: 0,
  output: 0,
  reasoning: 0,
  total: 0,
  cost: 0,
  tokens: new Array<number>(steps).fill(0),
  costs: new Array<number>(steps).fill(0),
});

function put(s: Sum, r: UsageRow, step: number) {
  s.requests += r.requests;
  s.failed += r.failed;
  s.unpriced += r.unpriced;
  s.input += r.input;
  s.cached += r.cache_read;
  s.written += r.cache_write;
  s.output += r.output;
  s.reasoning += r.reasoning;
  s.total += r.total;
  s.cost += r.cost_usd;
  s.tokens[step] = (s.tokens[step] ?? 0) + r.total;
  s.costs[step] = (s.costs[step] ?? 0) + r.cost_usd;
}

/** at is the moment that a group by time names. */
function at(group: string): number {
  if (group.length === 7) return new Date(`${group}-01T00:00`).getTime();
  return new Date(group.length === 10 ? `${group}T00:00` : group).getTime();
}

export interface Table {
  times: number[]; // Unix seconds
  sums: Sum[]; // most tokens first
  total: Sum;
}

/** tabulate sums up the same rows by name, by step and in all, so that the three agree. It is pure. */
export function tabulate(rows: UsageRow[], grain: Grain, by: PartName, since: Date, until: Date): Table {
  const starts: number[] = [];
  for (let d = since; d <= until; d = next(grain, d)) starts.push(d.getTime());
  const total = sum('', starts.length);
  const names = new Map<string, Sum>();
  for (const r of rows) {
    const when = at(r.group[grain === 'week' ? 'day' : grain] ?? '');
    const step = Math.max(0, starts.findLastIndex((s) => s <= when));
    const name = r.group[by] ?? '';
    const s = names.get(name) ?? sum(name, starts.length);
    names.set(name, s);
    put(s, r, step);
    put(total, r, step);
  }
  return { times: starts.map((s) => s / 1000), sums: [...names.values()].sort((a, b) => b.total - a.total || b.requests - a.requests), total };
}

/** stack is at most five series and the rest, each standing on those after it: the first is the sum of all. */
export function stack(t: Table, of: 'tokens' | 'costs', rest: string): { name: string; own: number[]; values: number[] }[] {
  const steps = t.times.length;
  const size = (s: Sum) => s[of].reduce((a, b) => a + b, 0);
  const order = [...t.sums].sort((a, b) => size(b) - size(a)).filter((s) => size(s) > 0);
  const shown = order.length > 6 ? order.slice(0, 5) : order;
  const series = shown.map((s) => ({ name: s.name, own: s[of], values: s[of] }));
  if (order.length > shown.length) {
    const own = new Array<number>(steps).fill(0).map((_, i) => order.slice(shown.length).reduce((sum, s) => sum + (s[of][i] ?? 0), 0));
    series.push({ name: rest, own, values: own });
  }
  for (let i = series.length - 2; i >= 0; i--) {
    const below = series[i + 1]?.values ?? [];
    const s = series[i];
    if (s) s.values = s.own.map((n, j) => n + (below[j] ?? 0));
  }
  return series;
}

const fields = ['requests', 'failed', 'input', 'cache_read', 'cache_write', 'output', 'reasoning', 'total', 'cost_usd', 'unpriced'] as const;

const line = (s: Sum) => [s.requests, s.failed, s.input, s.cached, s.written, s.output, s.reasoning, s.total, Number(s.cost.toFixed(9)), s.unpriced];

/** asCSV is the table for a spreadsheet. A name that a spreadsheet would take as a formula is made a text. */
export function asCSV(t: Table, by: PartName, since: Date, until: Date): string {
  const cell = (v: string | number) => {
    const text = typeof v === 'string' && /^[=+\-@\t\r]/.test(v) ? `'${v}` : String(v);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const head = [by, ...fields, 'since', 'until', 'zone'];
  const rows = t.sums.map((s) => [s.name, ...line(s), since.toISOString(), until.toISOString(), zone]);
  return [head, ...rows].map((r) => r.map(cell).join(',')).join('\r\n') + '\r\n';
}

export function asJSON(t: Table, by: PartName, since: Date, until: Date): string {
  const one = (s: Sum) => Object.fromEntries(fields.map((f, i) => [f, line(s)[i]]));
  return `${JSON.stringify({ since: since.toISOString(), until: until.toISOString(), zone, by, total: one(t.total), rows: t.sums.map((s) => ({ [by]: s.name, ...one(s) })) }, null, 2)}\n`;
}

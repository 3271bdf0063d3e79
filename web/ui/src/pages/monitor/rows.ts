// The rows of the list: pages of the ledger, and what ends meanwhile. A row has
// only what the list shows, so that a hundred thousand of them are some 40 MB.
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { api, ask, type Request } from '../../api/client';
import { useLive, type Live, type LiveState } from '../../api/live';
import { matches, query } from './filter';
import type { Search } from './search';

export interface Row {
  id: string;
  at: number; // when it began, milliseconds since 1970
  asked?: string;
  served?: string;
  account?: string;
  client?: string;
  key?: string;
  session?: string;
  inbound: string;
  outbound?: string;
  status: number;
  fault?: string;
  error?: string;
  partial: boolean;
  read: number; // tokens
  cached: number;
  written: number;
  cost?: number;
  first: number; // milliseconds; 0 if there was no byte
  took: number;
  tries: number;
}

const names = new Map<string, string>();

/** one makes equal names the same text, which a hundred thousand rows then share. */
function one(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (names.size > 5_000) names.clear();
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, name);
  return name;
}

export function rowOf(r: Request): Row {
  const u = r.usage;
  return {
    id: r.id,
    at: Date.parse(r.start),
    asked: one(r.asked),
    served: one(r.served),
    account: one(r.account),
    client: one(r.client),
    key: one(r.key),
    session: one(r.session),
    inbound: one(r.inbound) ?? '',
    outbound: one(r.outbound),
    status: r.status,
    fault: one(r.fault),
    error: one(r.error),
    partial: !!r.partial,
    read: u ? u.input + u.cache_read + u.cache_write : 0,
    cached: u?.cache_read ?? 0,
    written: u ? u.output + u.reasoning : 0,
    cost: r.cost_usd ?? undefined,
    first: (r.first_ns ?? 0) / 1e6,
    took: r.took_ns / 1e6,
    tries: r.attempts?.length ?? 0,
  };
}

/** merge puts fresh rows among rows, newest first, each once. Both are in that order already, or nearly. It is pure. */
export function merge(fresh: Row[], rows: Row[]): Row[] {
  const recent = new Set(rows.slice(0, 2_000).map((r) => r.id));
  const more = fresh.filter((r) => !recent.has(r.id)).sort((a, b) => b.at - a.at);
  if (more.length === 0) return rows;
  const oldest = more.at(-1)?.at ?? 0;
  const cut = rows.findIndex((r) => r.at < oldest);
  const among = cut < 0 ? rows : rows.slice(0, cut);
  const head = [...more, ...among].sort((a, b) => b.at - a.at);
  return cut < 0 ? head : head.concat(rows.slice(cut));
}

const firstPage = 100;
const page = 500;
const maxWaiting = 500;
const maxFollowed = 20_000; // rows after which the oldest are let go while one follows
const keptRows = 5_000;

export interface Snapshot {
  rows: readonly Row[];
  /** The first page is there. */
  ready: boolean;
  loading: boolean;
  /** There is nothing older. */
  done: boolean;
  error: unknown;
  /** How many wait to be shown. */
  fresh: number;
  /** More than that have come, so that the list is made anew. */
  over: boolean;
}

type Next = { cursor?: string; until?: string };

class Rows {
  private now: Snapshot = { rows: [], ready: false, loading: false, done: false, error: undefined, fresh: 0, over: false };
  private readonly listeners = new Set<() => void>();
  private next: Next = {};
  private waiting: Row[] = [];
  private count: number | undefined;
  private missed = 0;
  private stop = new AbortController();

  constructor(private readonly filter: Search) {}

  subscribe = (l: () => void) => {
    this.listeners.add(l);
    if (this.stop.signal.aborted) this.stop = new AbortController();
    return () => {
      this.listeners.delete(l);
      if (this.listeners.size > 0) return;
      this.stop.abort();
      this.count = undefined; // who listens anew begins anew
      this.now = { ...this.now, loading: false };
    };
  };

  get = () => this.now;

  private change(to: Partial<Snapshot>) {
    this.now = { ...this.now, ...to };
    for (const l of this.listeners) l();
  }

  /** anew lists from the newest on. What is shown stays until that is there. */
  anew = () => {
    this.stop.abort();
    this.stop = new AbortController();
    this.next = {};
    this.waiting = [];
    this.now = { ...this.now, loading: false };
    this.change({ fresh: 0, over: false, done: false });
    void this.load(true);
  };

  /** more lists what is older. */
  more = () => {
    if (!this.now.done && !this.now.error) void this.load(false);
  };

  retry = () => {
    this.change({ error: undefined });
    void this.load(!this.now.ready);
  };

  private async load(first: boolean) {
    if (this.now.loading) return;
    const { signal } = this.stop;
    this.change({ loading: true, error: undefined });
    try {
      // Pages of a filter that the ledger has no column for may be short.
      let found: Row[] = [];
      do {
        const got = await ask(api.GET('/api/requests', { signal, params: { query: { ...query(this.filter), ...this.next, limit: first ? firstPage : page } } }));
        found = found.concat((got.items ?? []).map(rowOf));
        this.next = { ...(this.next.until ? { until: this.next.until } : {}), cursor: got.next };
      } while (this.next.cursor && found.length < 50);
      if (signal.aborted) return;
      const done = !this.next.cursor;
      if (first) this.change({ rows: merge(this.waiting, found), ready: true, loading: false, done, fresh: 0 });
      else {
        const known = new Set(this.now.rows.slice(-500).map((r) => r.id));
        this.change({ rows: this.now.rows.concat(found.filter((r) => !known.has(r.id))), loading: false, done });
      }
      if (first) this.waiting = [];
    } catch (error) {
      if (signal.aborted) return;
      this.change({ error, loading: false });
    }
  }

  /** hear takes what has ended since it heard last. */
  hear(live: Live, held: boolean) {
    if (this.count === undefined) {
      this.count = live.count;
      this.missed = live.missed;
      this.anew();
      return;
    }
    const n = live.count - this.count;
    const gap = live.missed !== this.missed || n > live.rows.length;
    this.count = live.count;
    this.missed = live.missed;
    const fresh = live.rows.slice(0, Math.max(0, n)).filter((r) => matches(this.filter, r));
    if (fresh.length > 0) this.waiting = [...fresh.map(rowOf), ...this.waiting];
    const over = this.now.over || gap || this.waiting.length > maxWaiting;
    if (over) this.waiting.length = Math.min(this.waiting.length, maxWaiting);
    if (fresh.length > 0 || over !== this.now.over) this.change({ fresh: this.waiting.length, over });
    if (!held) this.release();
  }

  /** release shows what waits. */
  release() {
    if (!this.now.ready) return;
    if (this.now.over) {
      this.anew();
      return;
    }
    if (this.waiting.length === 0) return;
    let rows = merge(this.waiting, this.now.rows as Row[]);
    this.waiting = [];
    const last = rows[keptRows - 1];
    if (rows.length > maxFollowed && last) {
      rows = rows.slice(0, keptRows);
      this.next = { until: new Date(last.at + 1).toISOString() };
      this.change({ done: false });
    }
    this.change({ rows, fresh: 0 });
  }
}

/** useRows are the rows of a filter. While held, what ends waits. */
export function useRows(s: Search, held: boolean): Snapshot & { live: LiveState; more: () => void; retry: () => void } {
  const { open: _, ...filter } = s;
  const key = JSON.stringify(filter);
  const store = useMemo(() => new Rows(JSON.parse(key) as Search), [key]);
  const live = useLive();
  const now = useSyncExternalStore(store.subscribe, store.get);
  const { count, missed } = live;
  useEffect(() => store.hear(live, held), [store, count, missed, held]);
  const more = useCallback(() => store.more(), [store]);
  return { ...now, live: live.state, more, retry: store.retry };
}

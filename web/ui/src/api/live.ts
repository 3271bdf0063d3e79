// The live feed: requests as they end. However many pages a browser shows, one of
// them, the leader, holds the connection and tells the others; a browser permits
// six connections to one address, and the feed would take them all.
//
// The leader says each second that it is there. When nobody has said so for
// three seconds, whoever notices becomes the leader; of two, the one with the
// smaller name stays. There are no locks, which plain-http pages do not have.
import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { Request } from './client';
import { events } from './sse';

export type LiveState = 'connecting' | 'live' | 'broken';

export interface Live {
  /** The newest first, at most 500. */
  rows: readonly Request[];
  /** How many have come since the page was opened. */
  count: number;
  /** How many were missed; -1 if nobody knows. */
  missed: number;
  state: LiveState;
}

type Note = { from: string; here?: true; gone?: true; rows?: Request[]; missed?: number; state?: LiveState; last?: string; ask?: true };

const maxRows = 500;
const paintEvery = 200; // ms: five times a second
const beatEvery = 1_000;
const deadAfter = 3_000;

const me = Math.random().toString(36).slice(2);

class Feed {
  private snapshot: Live = { rows: [], count: 0, missed: 0, state: 'connecting' };
  private readonly listeners = new Set<() => void>();
  private channel: BroadcastChannel | undefined;
  private leading: AbortController | undefined;
  private heard = 0; // when the leader was last heard
  private last = ''; // id of the last event
  private timers: ReturnType<typeof setInterval>[] = [];
  private batch: Request[] = [];

  subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.start();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    };
  };

  get = () => this.snapshot;

  private start() {
    this.channel = new BroadcastChannel('portico-live');
    this.channel.onmessage = (e: MessageEvent<Note>) => this.told(e.data);
    addEventListener('pagehide', this.bye);
    this.heard = Date.now() - deadAfter + 300; // a leader that is there answers sooner
    this.say({ ask: true });
    this.timers = [setInterval(() => this.look(), 150), setInterval(() => this.leading && this.say({ here: true }), beatEvery), setInterval(() => this.flush(), paintEvery)];
  }

  private stop() {
    this.bye();
    for (const t of this.timers) clearInterval(t);
    this.timers = [];
    removeEventListener('pagehide', this.bye);
    this.channel?.close();
    this.channel = undefined;
  }

  private bye = () => {
    if (!this.leading) return;
    this.leading.abort();
    this.leading = undefined;
    this.say({ gone: true });
  };

  private say(n: Omit<Note, 'from'>) {
    this.channel?.postMessage({ ...n, from: me } satisfies Note);
  }

  private told(n: Note) {
    if (n.ask) {
      if (this.leading) this.say({ here: true, state: this.snapshot.state });
      return;
    }
    if (this.leading && n.here) {
      if (n.from > me) return; // it will hear of this page and step back
      this.leading.abort();
      this.leading = undefined;
    }
    this.heard = n.gone ? 0 : Date.now();
    if (n.last) this.last = n.last;
    if (n.state) this.change({ state: n.state });
    if (n.rows) this.put(n.rows);
    if (n.missed) this.miss(n.missed);
  }

  /** look becomes the leader if there is none. */
  private look() {
    if (this.leading || Date.now() - this.heard < deadAfter) return;
    this.leading = new AbortController();
    this.say({ here: true });
    void this.lead(this.leading.signal);
  }

  private async lead(signal: AbortSignal) {
    while (!signal.aborted) {
      try {
        const headers: Record<string, string> = { Accept: 'text/event-stream' };
        if (this.last) headers['Last-Event-ID'] = this.last;
        const answer = await fetch('/api/live', { headers, signal, cache: 'no-store' });
        if (!answer.ok || !answer.body) throw new Error(String(answer.status));
        this.change({ state: 'live' });
        this.say({ state: 'live' });
        for await (const e of events(answer.body)) {
          if (e.id) this.last = e.id;
          if (e.name === 'request') this.batch.push(JSON.parse(e.data) as Request);
          if (e.name === 'gap') {
            const { missed } = JSON.parse(e.data) as { missed: number };
            this.miss(missed);
            this.say({ missed });
          }
        }
      } catch {
        // told below
      }
      if (signal.aborted) return;
      this.change({ state: 'broken' });
      this.say({ state: 'broken' });
      await new Promise((r) => setTimeout(r, 2_000));
    }
  }

  private flush() {
    if (this.batch.length === 0) return;
    const rows = this.batch;
    this.batch = [];
    this.put(rows);
    this.say({ rows: rows.slice(-maxRows), last: this.last });
  }

  private put(rows: Request[]) {
    const next = [...rows.slice(-maxRows).reverse(), ...this.snapshot.rows];
    next.length = Math.min(next.length, maxRows);
    this.change({ rows: next, count: this.snapshot.count + rows.length });
  }

  private miss(n: number) {
    this.change({ missed: n < 0 || this.snapshot.missed < 0 ? -1 : this.snapshot.missed + n });
  }

  private change(to: Partial<Live>) {
    this.snapshot = { ...this.snapshot, ...to };
    for (const l of this.listeners) l();
  }
}

const feed = new Feed();

/**
 * useLive is the live feed. While paused it stays as it was, and waiting says how
 * many have come since; nothing is lost, up to 500.
 */
export function useLive(paused = false): Live & { waiting: number } {
  const frozen = useRef<Live>(undefined);
  if (!paused) frozen.current = undefined;
  else frozen.current ??= feed.get();
  const get = useCallback(() => feed.get(), []);
  const now = useSyncExternalStore(feed.subscribe, get);
  const shown = frozen.current ?? now;
  return { ...shown, state: now.state, missed: now.missed, waiting: now.count - shown.count };
}

// Where the time of a request went. It is pure.
import type { Request } from '../../api/client';

/** queue: waited for an account; wait: until the first meaningful byte; stream: until the end of it; try: a whole attempt that failed. */
export type Kind = 'queue' | 'wait' | 'stream' | 'try';

export interface Part {
  kind: Kind;
  from: number; // milliseconds since the request came in
  to: number;
}

export interface Timeline {
  total: number;
  /** The parts of each attempt, in the order of attempts. */
  attempts: Part[][];
  /** What is of no attempt and of no waiting for one: the time in the gateway itself. */
  rest: number;
}

export function timeline(r: Request): Timeline {
  const total = r.took_ns / 1e6;
  const first = (r.first_ns ?? 0) / 1e6;
  const clip = (n: number) => Math.min(total, Math.max(0, n));
  const attempts = (r.attempts ?? []).map((a, i, all) => {
    const from = clip(a.start_ns / 1e6);
    const to = clip((a.start_ns + a.took_ns) / 1e6);
    const parts: Part[] = [];
    if (a.waited_ns) parts.push({ kind: 'queue', from: clip(from - a.waited_ns / 1e6), to: from });
    const answered = a.step === 'served' || (i === all.length - 1 && !a.fault);
    if (!answered || first <= from || first > to) parts.push({ kind: answered ? 'wait' : 'try', from, to });
    else parts.push({ kind: 'wait', from, to: first }, { kind: 'stream', from: first, to });
    return parts;
  });
  // Attempts may run beside each other, so that the time they cover is not their sum.
  let covered = 0;
  let end = 0;
  for (const p of attempts.flat().sort((a, b) => a.from - b.from)) {
    covered += Math.max(0, p.to - Math.max(p.from, end));
    end = Math.max(end, p.to);
  }
  return { total, attempts, rest: Math.max(0, total - covered) };
}

import { text } from '../../lib/search';

/** What of the page stands in its address. The names are those of /api/requests. */
export interface Search {
  since?: string;
  until?: string;
  account?: string;
  model?: string;
  key?: string;
  client?: string;
  session?: string;
  protocol?: string;
  outbound?: string;
  op?: string;
  fault?: string;
  status?: string;
  min_tokens?: string;
  min_took_ms?: string;
  text?: string;
  open?: string; // the request whose drawer is open
}

const names = ['since', 'until', 'account', 'model', 'key', 'client', 'session', 'protocol', 'outbound', 'op', 'fault', 'status', 'min_tokens', 'min_took_ms', 'text', 'open'] as const;

export function search(raw: Record<string, unknown>): Search {
  return Object.fromEntries(names.map((n) => [n, text(raw[n])]));
}

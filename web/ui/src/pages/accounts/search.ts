import { text } from '../../lib/search';

/** What of the page stands in its address. */
export interface Search {
  q?: string;
  state?: string;
  open?: string; // the account whose drawer is open
  add?: string; // the way in whose dialog is open
}

export function search(raw: Record<string, unknown>): Search {
  return { q: text(raw.q), state: text(raw.state), open: text(raw.open), add: text(raw.add) };
}

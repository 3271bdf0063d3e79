import { among, text } from '../../lib/search';

export const groups = ['ready', 'limited', 'needs', 'off'] as const;
export const ways = ['choose', 'key', 'login', 'token', 'file', 'import', 'again'] as const;

/** A group of states that people look for; needy is all that want a look. */
export type Group = (typeof groups)[number] | 'needy';
export type Way = (typeof ways)[number];

/** What of the page stands in its address. */
export interface Search {
  q?: string;
  state?: Group;
  provider?: string;
  tag?: string;
  sort?: string; // a column, with - before it if it is downwards
  view?: 'cards'; // absent: a table
  open?: string; // the account whose drawer is open
  add?: Way; // the way in whose dialog is open; again: open signs in anew
}

export function search(raw: Record<string, unknown>): Search {
  return {
    q: text(raw.q),
    state: among(raw.state, [...groups, 'needy']),
    provider: text(raw.provider),
    tag: text(raw.tag),
    sort: text(raw.sort),
    view: among(raw.view, ['cards']),
    open: text(raw.open),
    add: among(raw.add, ways),
  };
}

import { among, text } from '../../lib/search';

export const tabs = ['checks', 'sessions', 'rules', 'refused', 'acts'] as const;

export type Tab = (typeof tabs)[number];

/** What of the page stands in its address. */
export interface Search {
  tab?: Tab; // absent: checks
  address?: string; // filter of what was refused and what was done
  what?: string; // the code of a refusal, the name of an act
  add?: 'allow' | 'deny'; // the form of a new rule is open
  range?: string; // what stands in it at first
}

export function search(raw: Record<string, unknown>): Search {
  return { tab: among(raw.tab, tabs), address: text(raw.address), what: text(raw.what), add: among(raw.add, ['allow', 'deny']), range: text(raw.range) };
}

import { among, text } from '../../lib/search';

export const tabs = ['values', 'file', 'copies'] as const;
export const sources = ['default', 'file', 'env', 'flag'] as const;

/** What of the page stands in its address. */
export interface Search {
  tab?: (typeof tabs)[number]; // absent: values
  q?: string; // words that a key has
  source?: (typeof sources)[number];
}

export function search(raw: Record<string, unknown>): Search {
  return { tab: among(raw.tab, tabs), q: text(raw.q), source: among(raw.source, sources) };
}

/** What of the page stands in its address. */
export interface Search {
  tab?: string;
}

export function search(raw: Record<string, unknown>): Search {
  return { tab: typeof raw.tab === 'string' ? raw.tab : undefined };
}

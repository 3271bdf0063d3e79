import { among, text } from '../../lib/search';

export const windows = ['1h', '24h', '7d', '30d'] as const;
export const figures = ['requests', 'served', 'tokens', 'cost', 'first', 'cache'] as const;

export type Window = (typeof windows)[number];
export type Figure = (typeof figures)[number];

/** What of the page stands in its address: one filter for all of it. */
export interface Search {
  window?: Window; // absent: 24h
  show?: Figure; // which figure the chart shows
  account?: string;
  model?: string;
  key?: string;
}

export function search(raw: Record<string, unknown>): Search {
  return { window: among(raw.window, windows), show: among(raw.show, figures), account: text(raw.account), model: text(raw.model), key: text(raw.key) };
}

export const hours: Record<Window, number> = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 };

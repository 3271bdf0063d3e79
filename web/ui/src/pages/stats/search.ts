import { among, text } from '../../lib/search';

export const grains = ['hour', 'day', 'week', 'month'] as const;
export const parts = ['model', 'account', 'key', 'client', 'protocol'] as const;

export type Grain = (typeof grains)[number];
export type PartName = (typeof parts)[number];

/** What of the page stands in its address. */
export interface Search {
  grain?: Grain; // absent: day
  by?: PartName; // absent: model
  show?: 'cost'; // absent: tokens
  account?: string;
  model?: string;
  key?: string;
}

export function search(raw: Record<string, unknown>): Search {
  return { grain: among(raw.grain, grains), by: among(raw.by, parts), show: among(raw.show, ['cost']), account: text(raw.account), model: text(raw.model), key: text(raw.key) };
}

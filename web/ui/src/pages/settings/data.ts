import { queryOptions } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';
import type { Search, sources } from './search';

export type Shown = Schemas['ConfigShown'];
export type Snapshot = Schemas['Snapshot'];

export const config = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => ask(api.GET('/api/config', { signal })),
});

export const snapshots = queryOptions({
  queryKey: ['snapshots'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/backups', { signal }))).items ?? [],
});

/** kindOf is what decided a value. It is pure. */
export function kindOf(s: Shown): (typeof sources)[number] {
  if (!s.source || s.source === 'default') return 'default';
  if (s.source.startsWith('env ')) return 'env';
  return s.source.startsWith('flag ') ? 'flag' : 'file';
}

/** said is a value as it is shown. It is pure. */
export function said(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value ?? null);
}

/** found are the keys that the filter leaves. It is pure. */
export function found(keys: Shown[], s: Search): Shown[] {
  const words = (s.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return keys.filter((k) => (!s.source || kindOf(k) === s.source) && words.every((w) => `${k.key} ${said(k.value)}`.toLowerCase().includes(w)));
}

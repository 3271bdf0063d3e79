// What several pages ask for. What only one page asks for stands in its folder.
import { QueryClient, queryOptions } from '@tanstack/react-query';
import { Failure, api, ask } from './client';

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (n, e) => e instanceof Failure && e.kind === 'down' && n < 1,
      networkMode: 'always', // the gateway is here, whatever becomes of the network
    },
    mutations: { networkMode: 'always' },
  },
});

export const status = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => ask(api.GET('/api/status', { signal })),
  refetchInterval: 5_000,
  refetchIntervalInBackground: false,
});

export const accounts = queryOptions({
  queryKey: ['accounts'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/accounts', { signal }))).items ?? [],
  refetchInterval: 10_000,
});

export const models = queryOptions({
  queryKey: ['models'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/models', { signal }))).items ?? [],
  staleTime: 60_000,
});

export const checks = queryOptions({
  queryKey: ['doctor'],
  queryFn: async ({ signal }) => (await ask(api.GET('/api/doctor', { signal }))).items ?? [],
  refetchInterval: 60_000,
});

// What can be done with accounts. A failure is told where it was asked for, and
// every act ends with the list as it is then.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask, type Account, type Schemas } from '../../api/client';
import { accounts } from '../../api/queries';
import { useT } from '../../i18n';
import { notify } from '../../kit';
import { moved, movable } from './data';

type Bulk = Schemas['Bulk'];

/** useActs gives the acts, what is under way, and what went wrong last. */
export function useActs() {
  const t = useT('accounts');
  const queries = useQueryClient();
  const [busy, setBusy] = useState<string>();
  const [error, setError] = useState<unknown>();

  const look = () => queries.invalidateQueries({ queryKey: accounts.queryKey });
  const act = async <T>(name: string, f: () => Promise<T>): Promise<T | undefined> => {
    setBusy(name);
    setError(undefined);
    try {
      return await f();
    } catch (e) {
      setError(e);
      return undefined;
    } finally {
      setBusy(undefined);
      await look();
    }
  };

  const bulk = (name: string, names: string[], b: Omit<Bulk, 'select'>) =>
    act(name, async () => {
      const r = await ask(api.POST('/api/accounts/bulk', { body: { select: { names }, ...b } }));
      const done = r.done ?? [];
      const kept = r.kept ?? [];
      const text = kept.length > 0 ? t('bulk.kept', { n: kept.length }) : undefined;
      if (b.remove && done.length > 0) {
        const undo = () =>
          void act('restore', async () => {
            await ask(api.POST('/api/accounts/restore', { body: { names: done } }));
            notify({ title: t('restored', { n: done.length }) });
          });
        notify({ title: t('removed', { n: done.length }), text, act: { label: t('undo'), run: undo }, stay: 9_500 });
      } else {
        notify({ title: t('bulk.done', { n: done.length }), text });
      }
      return done;
    });

  return {
    busy,
    error,
    clear: () => setError(undefined),
    bulk,
    test: (name: string) => act('test', () => ask(api.POST('/api/accounts/{name}/test', { params: { path: { name } } }))),
    heal: (name: string) => act('heal', () => ask(api.POST('/api/accounts/{name}/heal', { params: { path: { name } } }))),
    change: (name: string, body: Schemas['AccountChange']) => act('change', () => ask(api.PATCH('/api/accounts/{name}', { params: { path: { name } }, body }))),
    move: (all: Account[], name: string, step: -1 | 1 | 'top') => act('move', () => ask(api.POST('/api/accounts/order', { body: { names: moved(movable(all), name, step) } }))),
    /** several asks the upstreams of many, three at a time, and counts those that would serve. */
    several: (names: string[], tell: (done: number) => void) =>
      act('tests', async () => {
        const rest = [...names];
        let well = 0;
        let done = 0;
        const one = async () => {
          for (let n = rest.shift(); n !== undefined; n = rest.shift()) {
            const r = await ask(api.POST('/api/accounts/{name}/test', { params: { path: { name: n } } }));
            if (r.ok) well++;
            tell(++done);
          }
        };
        await Promise.all([one(), one(), one()]);
        notify({ title: t('tests.done', { n: names.length, ok: well }) });
      }),
    /** save writes an export of accounts, which has no secrets, into a file. */
    save: (names: string[]) =>
      act('export', async () => {
        const e = await ask(api.POST('/api/accounts/export', { body: { select: { names } } }));
        const url = URL.createObjectURL(new Blob([`${JSON.stringify(e, null, 2)}\n`], { type: 'application/json' }));
        const link = document.createElement('a');
        link.href = url;
        link.download = 'portico-accounts.json';
        link.click();
        setTimeout(() => URL.revokeObjectURL(url), 1_000);
      }),
  };
}

export type Acts = ReturnType<typeof useActs>;

// What the command palette knows: the pages' own commands join those of the
// shell while they are shown.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { IconName } from '../kit';

export interface Command {
  name: string;
  run: () => void;
  icon?: IconName;
  /** A word that is found, too, and shown in a lighter tone. */
  note?: string;
}

const sets = new Map<object, Command[]>();
let all: Command[] = [];
const listeners = new Set<() => void>();

function change() {
  all = [...sets.values()].flat();
  for (const l of listeners) l();
}

/** useCommands offers commands while its component is shown. */
export function useCommands(commands: Command[]) {
  const me = useRef({});
  const names = commands.map((c) => c.name).join('\n');
  const latest = useRef(commands);
  latest.current = commands;
  useEffect(() => {
    const key = me.current;
    sets.set(
      key,
      latest.current.map((c, i) => ({ ...c, run: () => latest.current[i]?.run() })),
    );
    change();
    return () => {
      sets.delete(key);
      change();
    };
  }, [names]);
}

export function useAllCommands(): Command[] {
  return useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => all,
  );
}

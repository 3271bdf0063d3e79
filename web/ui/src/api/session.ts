// Who sits here. The gateway knows a browser by a cookie that no script sees; what
// opened it, a password, a token or a link, is kept nowhere.
import { useSyncExternalStore } from 'react';

export type Session = 'asking' | 'out' | 'in';

let session: Session = 'asking';
const listeners = new Set<() => void>();

/** become says whether somebody is let in. */
export function become(to: Session) {
  if (session === to) return;
  session = to;
  for (const l of listeners) l();
}

export function useSession(): Session {
  return useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => session,
  );
}

/** launchCode takes the code of a link that `portico open` made out of the address. It is good once. */
export function launchCode(): string | undefined {
  const code = /^#launch=(.+)$/.exec(location.hash)?.[1];
  if (code) history.replaceState(null, '', location.pathname + location.search);
  return code && decodeURIComponent(code);
}

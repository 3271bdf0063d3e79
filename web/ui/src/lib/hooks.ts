import { useEffect, useRef, useSyncExternalStore } from 'react';
import { prefs } from './prefs';

/** useMedia says whether a media query holds now. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (l) => {
      const m = matchMedia(query);
      m.addEventListener('change', l);
      return () => m.removeEventListener('change', l);
    },
    () => matchMedia(query).matches,
  );
}

/** narrow is where the rail becomes a bar and tables become cards. */
export const narrow = '(max-width: 640px)';

let ticking: ReturnType<typeof setInterval> | undefined;
const tickers = new Set<() => void>();
let second = Math.floor(Date.now() / 1000);

/** useNow is the time in whole seconds; all who use it tick together, and nobody ticks in a page that is not seen. */
export function useNow(): number {
  return (
    useSyncExternalStore(
      (l) => {
        tickers.add(l);
        second = Math.floor(Date.now() / 1000);
        ticking ??= setInterval(() => {
          if (document.hidden) return;
          second = Math.floor(Date.now() / 1000);
          for (const t of tickers) t();
        }, 1000);
        return () => {
          tickers.delete(l);
          if (tickers.size === 0) {
            clearInterval(ticking);
            ticking = undefined;
          }
        };
      },
      () => second,
    ) * 1000
  );
}

type Keys = Record<string, (e: KeyboardEvent) => void>;

const typing = 'input, textarea, select, [contenteditable], [role=textbox]';

/**
 * useKeys answers keys of the whole page. A single key does nothing while
 * somebody types, while a dialog is open, or if single keys are switched off;
 * "mod+k" is Ctrl or ⌘.
 */
export function useKeys(keys: Keys, on = true) {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (!on) return;
    const press = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.isComposing || e.altKey) return;
      const mod = e.ctrlKey || e.metaKey;
      const act = latest.current[(mod ? 'mod+' : '') + e.key];
      if (!act) return;
      if (!mod) {
        if (prefs().keys === 'off') return;
        if (e.target instanceof Element && (e.target.closest(typing) || e.target.closest('[role=dialog], [role=menu], [role=listbox]'))) return;
      }
      e.preventDefault();
      act(e);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [on]);
}

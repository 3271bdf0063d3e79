// What a person prefers in this browser: nothing secret, and the only use of the
// browser's storage. public/theme.js reads the same before anything is painted.
import { useSyncExternalStore } from 'react';

export interface Prefs {
  theme?: 'light' | 'dark'; // absent: as the system has it
  contrast?: 'more';
  density?: 'compact' | 'roomy';
  lang?: string;
  rail?: 'narrow';
  keys?: 'off'; // single-key shortcuts
  columns?: Record<string, string[]>; // shown columns by table
  dismissed?: string[];
}

const key = 'portico';
let now: Prefs = read();
const listeners = new Set<() => void>();

function read(): Prefs {
  try {
    const p: unknown = JSON.parse(localStorage.getItem(key) ?? '{}');
    return p && typeof p === 'object' ? (p as Prefs) : {};
  } catch {
    return {}; // storage may be closed to us; then preferences last as long as the page
  }
}

export function prefs(): Prefs {
  return now;
}

export function prefer(change: Prefs) {
  now = { ...now, ...change };
  try {
    localStorage.setItem(key, JSON.stringify(now));
  } catch {
    // see read
  }
  show();
  for (const l of listeners) l();
}

export function usePrefs(): Prefs {
  return useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => now,
  );
}

const wantsDark = matchMedia('(prefers-color-scheme: dark)');
const wantsMore = matchMedia('(prefers-contrast: more)');

/** show puts the preferences on the document. */
function show() {
  const root = document.documentElement;
  const set = (name: string, value: string | undefined) => {
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
  };
  set('theme', now.theme ?? (wantsDark.matches ? 'dark' : 'light'));
  set('contrast', now.contrast ?? (wantsMore.matches ? 'more' : undefined));
  set('density', now.density);
}

wantsDark.addEventListener('change', show);
wantsMore.addEventListener('change', show);
addEventListener('storage', (e) => {
  if (e.key !== key) return;
  now = read();
  show();
  for (const l of listeners) l();
});
show();

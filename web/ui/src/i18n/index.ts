// Messages by language and page. English is the type of all of them; that the
// others have the same keys is checked by scripts/check.mjs.
import { useMemo, useSyncExternalStore, type ReactNode } from 'react';
import { prefer, prefs } from '../lib/prefs';
import type accounts from '../messages/en/accounts.json';
import type dashboard from '../messages/en/dashboard.json';
import type faults from '../messages/en/faults.json';
import type kit from '../messages/en/kit.json';
import type monitor from '../messages/en/monitor.json';
import type proxy from '../messages/en/proxy.json';
import type security from '../messages/en/security.json';
import type settings from '../messages/en/settings.json';
import type shell from '../messages/en/shell.json';
import type stats from '../messages/en/stats.json';

export interface Messages {
  accounts: typeof accounts;
  dashboard: typeof dashboard;
  faults: typeof faults;
  kit: typeof kit;
  monitor: typeof monitor;
  proxy: typeof proxy;
  security: typeof security;
  settings: typeof settings;
  shell: typeof shell;
  stats: typeof stats;
}

export type Part = keyof Messages;
export type Key<P extends Part> = keyof Messages[P] & string;

/** Languages by their own names. */
export const languages: Record<string, string> = {
  en: 'English',
  es: 'Español',
  'pt-BR': 'Português (Brasil)',
  vi: 'Tiếng Việt',
  ms: 'Bahasa Melayu',
  tr: 'Türkçe',
  ru: 'Русский',
  ar: 'العربية',
  ja: '日本語',
  ko: '한국어',
  'zh-CN': '简体中文',
  'zh-TW': '繁體中文',
};

type Text = string | Record<string, string>; // by plural category
type Table = Record<string, Text>;

const files = import.meta.glob<Table>('../messages/*/*.json', { import: 'default' });
const loaded = new Map<string, Table>();
let language = 'en';
let version = 0;
const wanted = new Set<Part>();
const listeners = new Set<() => void>();

/** best is the language of ours that the browser asks for first. */
function best(): string {
  for (const want of [prefs().lang ?? '', ...navigator.languages]) {
    if (languages[want]) return want;
    if (/^zh-(TW|HK|MO|Hant)/i.test(want)) return 'zh-TW';
    const short = want.split('-')[0] ?? '';
    if (short === 'zh') return 'zh-CN';
    if (short === 'pt') return 'pt-BR';
    if (languages[short]) return short;
  }
  return 'en';
}

async function fetchPart(lang: string, part: Part) {
  const name = `${lang}/${part}`;
  if (loaded.has(name)) return;
  const table = await files[`../messages/${name}.json`]?.();
  if (table) loaded.set(name, table);
}

/** loadMessages makes parts ready in the language of the page; a route waits for it. */
export async function loadMessages(...parts: Part[]) {
  for (const p of parts) wanted.add(p);
  await Promise.all(parts.map((p) => fetchPart(language, p)));
}

/** speak changes the language of the page. */
export async function speak(lang: string, keep = true) {
  await Promise.all([...wanted].map((p) => fetchPart(lang, p)));
  language = lang;
  document.documentElement.lang = lang;
  document.documentElement.dir = lang === 'ar' ? 'rtl' : 'ltr';
  if (keep) prefer({ lang });
  version++;
  for (const l of listeners) l();
}

/** startLanguage takes the language of the browser, or the one that was chosen. */
export async function startLanguage(...parts: Part[]) {
  for (const p of parts) wanted.add(p);
  await speak(best(), false);
}

export function currentLanguage(): string {
  return language;
}

/** useLanguage is the language, and draws anew when it changes. */
export function useLanguage(): string {
  useSyncExternalStore(
    (l) => {
      listeners.add(l);
      return () => listeners.delete(l);
    },
    () => version,
  );
  return language;
}

export type Params = Record<string, string | number>;

export interface Translate<P extends Part> {
  (key: Key<P>, params?: Params): string;
  /** rich puts elements in the places of a message. */
  rich: (key: Key<P>, params: Record<string, ReactNode>) => ReactNode[];
  /** maybe is the message of a name that comes from elsewhere, if there is one. */
  maybe: (key: string, params?: Params) => string | undefined;
}

/** pick chooses the form of a message: by params.n if it has several. */
function pick(text: Text, n: unknown): string {
  if (typeof text === 'string') return text;
  const category = new Intl.PluralRules(language).select(typeof n === 'number' ? n : 0);
  return text[category] ?? text.other ?? '';
}

const place = /\{(\w+)\}/;

function translator<P extends Part>(part: P): Translate<P> {
  const find = (key: string) => loaded.get(`${language}/${part}`)?.[key];
  const fill = (text: Text, params: Params) =>
    pick(text, params.n).replace(new RegExp(place, 'g'), (whole, name: string) => {
      const value = params[name];
      return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : (value ?? whole);
    });
  const t = (key: string, params: Params = {}) => fill(find(key) ?? key, params);
  return Object.assign(t, {
    rich: (key: string, params: Record<string, ReactNode>) =>
      pick(find(key) ?? key, params.n)
        .split(/(\{\w+\})/)
        .map((piece) => {
          const name = place.exec(piece)?.[1];
          const value = name ? params[name] : piece;
          return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value;
        }),
    maybe: (key: string, params: Params = {}) => {
      const text = find(key);
      return text === undefined ? undefined : fill(text, params);
    },
  });
}

/** useT gives the messages of a part. Its page has waited for them. */
export function useT<P extends Part>(part: P): Translate<P> {
  const lang = useLanguage();
  return useMemo(() => translator(part), [part, lang]);
}

// Numbers, times and spans in the language of the page.
import { useMemo } from 'react';
import { useLanguage } from './index';

const memo = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();

function number(lang: string, o: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `n${lang}${JSON.stringify(o)}`;
  let f = memo.get(key);
  if (!f) memo.set(key, (f = new Intl.NumberFormat(lang, o)));
  return f as Intl.NumberFormat;
}

function dates(lang: string, o: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `d${lang}${JSON.stringify(o)}`;
  let f = memo.get(key);
  if (!f) memo.set(key, (f = new Intl.DateTimeFormat(lang, o)));
  return f as Intl.DateTimeFormat;
}

export interface Format {
  /** exact: 12,412 */
  exact: (n: number) => string;
  /** short: 12.4K, for tables and figures */
  short: (n: number) => string;
  /** percent of a share between 0 and 1; never rounded to all or nothing */
  percent: (share: number) => string;
  /** dollars, with more digits for what is small */
  usd: (n: number) => string;
  /** a span in milliseconds: 812 ms, 4.2 s, 3 min */
  span: (ms: number) => string;
  /** how long something goes on yet, as a clock: 0:41, 12:07, 3 h 20 min, 2 d 4 h */
  left: (ms: number) => string;
  /** the time of day, and the date if it is not today */
  time: (at: string | number | Date) => string;
  /** date, time and zone, for titles */
  full: (at: string | number | Date) => string;
  bytes: (n: number) => string;
}

function unit(lang: string, n: number, name: string, digits = 0): string {
  return number(lang, { style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: digits }).format(n);
}

export function format(lang: string): Format {
  const two = (a: number, ua: string, b: number, ub: string) => (b > 0 ? `${unit(lang, a, ua)} ${unit(lang, b, ub)}` : unit(lang, a, ua));
  return {
    exact: (n) => number(lang, {}).format(n),
    short: (n) => number(lang, n < 10_000 ? { maximumFractionDigits: 0 } : { notation: 'compact', maximumSignificantDigits: 3 }).format(n),
    percent: (share) => {
      const digits = share > 0.99 && share < 1 ? 2 : share < 0.995 && share > 0.005 ? 1 : 0;
      const shown = share < 1 ? Math.min(share, 0.9999) : 1;
      return number(lang, { style: 'percent', maximumFractionDigits: digits }).format(shown);
    },
    usd: (n) => {
      const digits = n === 0 || n >= 100 ? 2 : n >= 1 ? 2 : n >= 0.01 ? 3 : 5;
      return number(lang, { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol', minimumFractionDigits: Math.min(digits, 2), maximumFractionDigits: digits }).format(n);
    },
    span: (ms) => {
      if (ms > 0 && ms < 1) return `< ${unit(lang, 1, 'millisecond')}`;
      if (ms < 1000) return unit(lang, Math.round(ms), 'millisecond');
      if (ms < 60_000) return unit(lang, ms / 1000, 'second', ms < 10_000 ? 1 : 0);
      if (ms < 3_600_000) return two(Math.floor(ms / 60_000), 'minute', Math.floor((ms % 60_000) / 1000), 'second');
      return two(Math.floor(ms / 3_600_000), 'hour', Math.floor((ms % 3_600_000) / 60_000), 'minute');
    },
    left: (ms) => {
      const s = Math.max(0, Math.ceil(ms / 1000));
      if (s < 60) return unit(lang, s, 'second');
      if (s < 3600) return two(Math.floor(s / 60), 'minute', s < 600 ? s % 60 : 0, 'second');
      if (s < 86_400) return two(Math.floor(s / 3600), 'hour', Math.floor((s % 3600) / 60), 'minute');
      return two(Math.floor(s / 86_400), 'day', Math.floor((s % 86_400) / 3600), 'hour');
    },
    time: (at) => {
      const d = new Date(at);
      const today = d.toDateString() === new Date().toDateString();
      return dates(lang, today ? { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } : { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(d);
    },
    full: (at) => dates(lang, { dateStyle: 'medium', timeStyle: 'long' }).format(new Date(at)),
    bytes: (n) => {
      const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
      let i = 0;
      while (n >= 1000 && i < units.length - 1) {
        n /= 1000;
        i++;
      }
      return number(lang, { style: 'unit', unit: units[i], unitDisplay: 'short', maximumFractionDigits: n < 10 && i > 0 ? 1 : 0 }).format(n);
    },
  };
}

export function useFormat(): Format {
  const lang = useLanguage();
  return useMemo(() => format(lang), [lang]);
}

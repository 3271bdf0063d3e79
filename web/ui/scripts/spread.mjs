// Spreads a table of messages over the languages: node scripts/spread.mjs PAGE < table
//
// A line is a key, then a text for each language in the order of `languages`,
// parted by " | ". A text with forms writes them as one: … ^ other: …
// Keys that are there already are replaced; the others stay. English is written
// if the first text is not "=".
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

export const languages = ['en', 'ko', 'zh-CN', 'zh-TW', 'ja', 'es', 'pt-BR', 'ru', 'vi', 'tr', 'ar', 'ms'];

const page = process.argv[2];
const at = (lang) => new URL(`../src/messages/${lang}/${page}.json`, import.meta.url).pathname;
const read = (lang) => (existsSync(at(lang)) ? JSON.parse(readFileSync(at(lang), 'utf8')) : {});
const tables = new Map(languages.map((l) => [l, read(l)]));

const forms = (text) => {
  if (!/^(zero|one|two|few|many|other): /.test(text)) return text;
  return Object.fromEntries(text.split(' ^ ').map((f) => [f.slice(0, f.indexOf(':')), f.slice(f.indexOf(':') + 2)]));
};

for (const line of readFileSync(0, 'utf8').split('\n')) {
  if (line.trim() === '' || line.startsWith('#')) continue;
  const [key, ...texts] = line.split(' | ').map((t) => t.trim());
  if (texts.length !== languages.length) throw new Error(`${key} has ${texts.length} texts; ${languages.length} are wanted`);
  languages.forEach((l, i) => {
    if (texts[i] !== '=') tables.get(l)[key] = forms(texts[i]);
  });
}

// All have the order of English.
const order = Object.keys(tables.get('en'));
for (const [l, table] of tables) {
  mkdirSync(new URL(`../src/messages/${l}`, import.meta.url), { recursive: true });
  const sorted = Object.fromEntries(order.filter((k) => k in table).map((k) => [k, table[k]]));
  writeFileSync(at(l), `${JSON.stringify(sorted, null, 2)}\n`);
}

// Checks what the compiler does not: every language has every message, with the
// same places and the forms of its plurals; every message is used; no text stands
// in an element itself; only lib/prefs.ts uses the browser's storage, and nothing
// makes markup of text.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseSync } from 'vite';

const src = new URL('../src', import.meta.url).pathname;
const messages = join(src, 'messages');
const wrong = [];

const load = (lang, file) => JSON.parse(readFileSync(join(messages, lang, file), 'utf8'));
const texts = (m) => (typeof m === 'string' ? [m] : Object.values(m));
const places = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();
const languages = readdirSync(messages);
const parts = readdirSync(join(messages, 'en'));

if (languages.length !== 12) wrong.push(`there are ${languages.length} languages, want 12`);
for (const lang of languages) {
  const forms = new Intl.PluralRules(lang).resolvedOptions().pluralCategories.toSorted().join();
  for (const file of parts) {
    const name = `messages/${lang}/${file}`;
    const en = load('en', file);
    let here;
    try {
      here = load(lang, file);
    } catch (e) {
      wrong.push(`${name}: ${e.message}`);
      continue;
    }
    for (const key of Object.keys(here)) if (!(key in en)) wrong.push(`${name}: ${key} is not in English`);
    for (const [key, message] of Object.entries(en)) {
      const text = here[key];
      if (text === undefined || texts(text).some((t) => t.trim() === '')) {
        wrong.push(`${name}: ${key} is missing`);
        continue;
      }
      if ((typeof text === 'string') !== (typeof message === 'string')) wrong.push(`${name}: ${key} has forms in one language only`);
      if (typeof text !== 'string' && Object.keys(text).toSorted().join() !== forms) wrong.push(`${name}: ${key} has the forms ${Object.keys(text)}, want ${forms}`);
      // A form for one or two may leave the number out, and nothing else.
      const want = places(texts(message).at(-1));
      const other = places(texts(text).at(-1));
      if (want !== other) wrong.push(`${name}: ${key} has the places ${other}, want ${want}`);
      for (const t of texts(text)) for (const p of t.match(/\{\w+\}/g) ?? []) if (!want.includes(p)) wrong.push(`${name}: ${key} has ${p}, which English has not`);
    }
  }
}

const files = (dir) =>
  readdirSync(dir).flatMap((n) => {
    const at = join(dir, n);
    return statSync(at).isDirectory() ? files(at) : /\.tsx?$/.test(n) && !n.endsWith('.d.ts') ? [at] : [];
  });

/** Attributes whose text people read or hear. */
const spoken = new Set(['aria-label', 'title', 'placeholder', 'alt', 'label', 'hint', 'head', 'text', 'sentence', 'act', 'consequence']);
/** Names that are the same in every language, and keys of a keyboard. */
const names = /^(Portico|Esc|Ctrl K|⌘K|OpenAI|Anthropic|Gemini|Claude|curl|Python|JavaScript|Go)$/;

let code = '';
for (const at of files(src)) {
  const text = readFileSync(at, 'utf8');
  const name = relative(src, at);
  code += text;
  if (name !== 'lib/prefs.ts' && /localStorage|sessionStorage|document\.cookie|indexedDB/.test(text)) wrong.push(`${name}: only lib/prefs.ts uses the browser's storage`);
  const sink = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(|new Function/.exec(text);
  if (sink) wrong.push(`${name}: uses ${sink[0]}`);
  if (!at.endsWith('.tsx')) continue;
  const line = (n) => text.slice(0, n).split('\n').length;
  const literal = (n, s, start) => {
    const said = s.trim();
    if (/\p{L}{2}/u.test(said) && !names.test(said)) wrong.push(`${name}:${line(start)}: ${n} "${said}" belongs into messages`);
  };
  const visit = (node, parent) => {
    if (!node || typeof node !== 'object') return;
    if (Array.isArray(node)) {
      for (const n of node) visit(n, parent);
      return;
    }
    if (node.type === 'JSXText' && !['code', 'kbd', 'pre'].includes(parent?.openingElement?.name?.name)) literal('the text', node.value, node.start);
    if (node.type === 'JSXAttribute' && spoken.has(node.name.name) && node.value?.type === 'Literal') literal(`the ${node.name.name}`, String(node.value.value), node.start);
    const up = node.type === 'JSXElement' ? node : parent;
    for (const [k, v] of Object.entries(node)) if (k !== 'parent') visit(v, up);
  };
  const parsed = parseSync(at, text);
  visit(parsed.program, null);
}

// A message is used if its name, or what it begins with up to a dot, stands in the code.
for (const file of parts) {
  if (file === 'faults.json') continue; // named by the gateway
  for (const key of Object.keys(load('en', file))) {
    const used = code.includes(`'${key}'`) || [...key.matchAll(/\./g)].some((m) => code.includes(`\`${key.slice(0, m.index + 1)}\${`));
    if (!used) wrong.push(`messages/en/${file}: ${key} is not used`);
  }
}

if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}

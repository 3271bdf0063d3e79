// Puts what vite has built into web/dist, as the binary holds it: index.html as it
// is, all else compressed twice. Says what a first look costs, and fails if that
// is more than it may be.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const ui = new URL('..', import.meta.url).pathname;
const built = join(ui, 'node_modules/.built');
const dist = join(ui, '../dist');

/** The bound of the scripts that are fetched before anything is shown, gzipped. */
const most = 250 * 1024;

for (const name of readdirSync(dist)) if (name !== '.gitkeep') rmSync(join(dist, name), { recursive: true });
mkdirSync(join(dist, 'assets'));

const put = (name, body) => {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  writeFileSync(join(dist, 'assets', `${name}.gz`), gzipSync(body, { level: 9 }));
  writeFileSync(join(dist, 'assets', `${name}.br`), brotliCompressSync(body, quality));
};

for (const name of readdirSync(join(built, 'assets'))) put(name, readFileSync(join(built, 'assets', name)));

// The script that sets the theme stands in no bundle, and gets its digest here.
const theme = readFileSync(join(built, 'theme.js'));
const themeName = `theme-${createHash('sha256').update(theme).digest('hex').slice(0, 8)}.js`;
put(themeName, theme);
const html = readFileSync(join(built, 'index.html'), 'utf8').replace('/theme.js', `/assets/${themeName}`);
writeFileSync(join(dist, 'index.html'), html);

const manifest = JSON.parse(readFileSync(join(built, '.vite/manifest.json'), 'utf8'));
const first = new Set();
const follow = (key) => {
  if (first.has(key)) return;
  first.add(key);
  for (const k of manifest[key].imports ?? []) follow(k);
};
follow('index.html');
const size = [...first].reduce((n, key) => n + gzipSync(readFileSync(join(built, manifest[key].file)), { level: 9 }).length, 0);
if (size > most) {
  console.error(`the first scripts of the page are ${(size / 1024).toFixed(0)} KB gzipped; they may be ${most / 1024}`);
  process.exit(1);
}
if (process.argv.includes('--say')) console.log(`first scripts: ${(size / 1024).toFixed(0)} KB gzipped, of ${most / 1024}`);

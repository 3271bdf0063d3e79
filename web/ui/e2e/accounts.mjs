// The journey of the accounts page in the real binary: a key is tested and
// stored, its account switched off, removed and brought back, a file looked at
// before it is imported. Afterwards pictures of what only a hand opens.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { open, ready } from './browser.mjs';
import { start, talk, token } from './gateway.mjs';

const out = new URL('shots', import.meta.url).pathname;
mkdirSync(out, { recursive: true });
ready();

const reports = [];
const say = (text) => reports.push(text);
const { browser, close } = await open();
const g = await start({});
try {
  const upstream = /base_url: (\S+)/.exec(readFileSync(join(g.dir, 'portico.yaml'), 'utf8'))[1];
  await talk(g.at, 12);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en', reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('console', (m) => m.type() === 'error' && !/Failed to load resource/.test(m.text()) && say(m.text()));
  page.on('pageerror', (e) => say(e.message));
  page.on('request', (r) => new URL(r.url()).origin === g.at || say(`off-origin: ${r.url()}`));
  const look = async (name) => {
    await page.screenshot({ path: join(out, `accounts-${name}.png`) });
    // In a function, since the policy permits no script in an element.
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const v of violations) say(`${name}: ${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(' ')).slice(0, 3)})`);
  };

  await page.goto(`${g.at}/accounts`);
  await page.locator('input[type=password]').fill(token);
  await page.locator('form button[type=submit]').click();
  await page.getByRole('row', { name: /claude-team/ }).waitFor();
  await look('table');

  // A key: tested, found, stored.
  await page.getByRole('button', { name: 'Add an account' }).first().click();
  await page.getByRole('dialog').waitFor();
  await look('add');
  await page.getByRole('button', { name: /^API key/ }).click();
  await page.getByRole('combobox', { name: 'Vendor' }).click();
  await page.getByRole('option', { name: 'Anthropic-compatible' }).click();
  await page.getByLabel('Address').fill(upstream);
  await page.getByLabel('Key', { exact: true }).fill('sk-ant-gallery-spare');
  await page.getByLabel('Name').fill('spare');
  await page.getByRole('dialog').getByRole('button', { name: 'Test' }).click();
  await page.locator('.found').waitFor();
  await look('add-key');
  await page.getByRole('button', { name: 'Add it' }).click();

  // Its drawer: switched off, and on again.
  const drawer = page.locator('.drawer');
  await drawer.waitFor();
  await drawer.getByRole('switch').click();
  await drawer.locator('.detail-health').getByText('switched off').waitFor();
  await look('drawer');
  await drawer.getByRole('switch').click();
  await drawer.locator('.detail-health').getByText('ready').waitFor();

  // Removed, and brought back.
  await drawer.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('row', { name: /spare/ }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('row', { name: /spare/ }).waitFor();

  // By keyboard: the first row is marked.
  await page.getByRole('grid').focus();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByText('1 selected').waitFor();
  await look('bulk');
  await page.getByRole('button', { name: 'Select none' }).click();

  // A file, looked at first.
  await page.goto(`${g.at}/accounts?add=import`);
  await page.getByLabel('File', { exact: true }).fill('OPENAI_API_KEY=sk-0123456789abcdef0123456789abcdef\nGROQ_API_KEY=gsk_0123456789abcdef0123456789\n');
  await page.getByRole('button', { name: 'Look at it' }).click();
  await page.getByText('2 of 2 would be added.').waitFor();
  await look('import');

  for (const [name, path] of Object.entries({ cards: '?view=cards', 'add-login': '?add=login', 'drawer-limited': '?open=claude-limited', 'drawer-quota': '?open=claude-own', filtered: '?q=nobody' })) {
    await page.goto(`${g.at}/accounts${path}`);
    await page.locator('.page').waitFor();
    await page.waitForTimeout(600); // for the picture alone
    await look(name);
  }
  await context.close();
} finally {
  await g.stop();
  await close();
}
if (reports.length > 0) {
  console.error([...new Set(reports)].join('\n'));
  process.exit(1);
}

// The Monitor by hand and by keyboard, in Chromium, against the real binary:
// node e2e/monitor.mjs, after make build and a build of bin/gallery.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { open, ready } from './browser.mjs';
import { start, talk, token, until } from './gateway.mjs';

ready();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const { browser, close } = await open();
const g = await start({});
const reports = [];
try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en', reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.on('console', (m) => m.type() === 'error' && !/Failed to load resource/.test(m.text()) && reports.push(m.text()));
  page.on('pageerror', (e) => reports.push(e.message));
  page.on('request', (r) => new URL(r.url()).origin === g.at || reports.push(`off-origin: ${r.url()}`));

  await page.goto(`${g.at}/monitor`);
  await page.locator('input[type=password]').fill(token);
  await page.locator('form button[type=submit]').click();
  await page.mouse.move(5, 5);
  const row = (i) => page.locator(`.tr[data-index="${i}"]`);
  const grid = page.locator('.table-body');
  const count = async () => Number(await grid.getAttribute('aria-rowcount'));
  await row(0).waitFor();
  const clean = async (what) => {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }));
    assert.deepEqual(violations.map((v) => `${what}: ${v.id} ${v.nodes[0]?.html}`), []);
  };
  await clean('list');

  // What ends stands on top.
  let before = await count();
  await talk(g.at, 3);
  await until('three rows more', async () => (await count()) === before + 3);

  // What is read does not move; what came meanwhile waits, and none is lost.
  await grid.evaluate((e) => e.scrollTo({ top: 640 }));
  await page.locator('text=held while you read').waitFor();
  const read = await row(22).textContent();
  before = await count();
  await talk(g.at, 4);
  const pill = page.locator('.monitor-fresh');
  await until('the pill', async () => (await pill.textContent()) === '4 new');
  assert.equal(await row(22).textContent(), read);
  await pill.click();
  await page.mouse.move(5, 5);
  await until('four rows more', async () => (await count()) === before + 4);

  // Paused, and by key.
  await page.keyboard.press('p');
  before = await count();
  await talk(g.at, 2);
  await until('the pill again', async () => (await pill.textContent()) === '2 new');
  assert.equal(await count(), before);
  await page.keyboard.press('p');
  await until('two rows more', async () => (await count()) === before + 2);

  // Page after page of the past, and few rows in the document.
  for (let i = 0; i < 4; i++) {
    before = await count();
    await grid.evaluate((e) => e.scrollTo({ top: e.scrollHeight }));
    await until('an older page', async () => (await count()) > before);
  }
  assert.ok((await page.locator('.monitor .tr').count()) <= 150, 'few rows in the document');
  await grid.evaluate((e) => e.scrollTo({ top: 0 }));

  // The filter stands in the address, and says what is wrong with it.
  await page.keyboard.press('/');
  await page.keyboard.type('status:>=400 fault:any');
  await page.keyboard.press('Enter');
  await page.waitForURL(/fault=any/);
  assert.match(decodeURIComponent(page.url()), /status=>=400/);
  await until('only failures', async () => {
    const texts = await page.locator('.tr[data-index]').allTextContents();
    return texts.length > 0 && texts.every((x) => x.includes('▲'));
  });
  await page.keyboard.press('Backspace');
  await page.waitForURL((u) => !u.search.includes('fault') || !u.search.includes('status'));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('dur:soon');
  await page.keyboard.press('Enter');
  await page.locator('[role=alert]', { hasText: 'dur does not take soon' }).waitFor();
  await clean('filter');

  // A row by keyboard, its story, and the next.
  await page.goto(`${g.at}/monitor`);
  await row(0).waitFor();
  await grid.focus();
  for (const k of ['j', 'j', 'j', 'Enter']) await page.keyboard.press(k);
  const drawer = page.locator('.drawer');
  await drawer.locator('.detail-facts li').first().waitFor();
  const first = new URL(page.url()).searchParams.get('open');
  await clean('drawer');
  await page.keyboard.press('j');
  await until('the older request', async () => new URL(page.url()).searchParams.get('open') !== first);
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  assert.deepEqual(reports, []);
} finally {
  await g.stop();
  await close();
}

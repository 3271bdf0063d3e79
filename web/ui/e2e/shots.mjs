// Pictures of every page and state, into e2e/shots: make shots, or with words
// that their names must have: make shots ARGS="dashboard dark".
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open, ready } from './browser.mjs';
import { start, talk, token, until } from './gateway.mjs';

const out = new URL('shots', import.meta.url).pathname;
const want = process.argv.slice(2);

const pages = { dashboard: '/', accounts: '/accounts', proxy: '/proxy', monitor: '/monitor', stats: '/stats', security: '/security', settings: '/settings' };

const desk = { width: 1440, height: 900 };
const phone = { width: 360, height: 740 };

/** Looks are how a page is looked at. */
const looks = {
  light: { theme: 'light', lang: 'en', viewport: desk },
  dark: { theme: 'dark', lang: 'en', viewport: desk },
  ar: { theme: 'light', lang: 'ar', viewport: desk },
  ko: { theme: 'dark', lang: 'ko', viewport: desk },
  phone: { theme: 'light', lang: 'en', viewport: phone },
};

/** Casts are the gateways behind the pictures. */
const casts = {
  full: { gateway: {}, looks: Object.keys(looks), talk: 18 },
  empty: { gateway: { empty: true }, looks: ['light', 'dark', 'phone'] },
  thousand: { gateway: { accounts: 1000, requests: 100_000 }, looks: ['light', 'dark'], pages: ['accounts', 'monitor', 'dashboard'] },
};

const wanted = (name) => want.every((w) => name.includes(w));

ready();
if (want.length === 0) rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const { browser, close } = await open();
const reports = [];

/** look opens a signed-in page in one of the looks. */
async function look(at, { theme, lang, viewport }) {
  const context = await browser.newContext({ viewport, deviceScaleFactor: 1, locale: lang, reducedMotion: 'reduce', colorScheme: theme });
  await context.addInitScript((p) => localStorage.setItem('portico', JSON.stringify(p)), { theme, lang });
  const page = await context.newPage();
  page.on('console', (m) => m.type() === 'error' && !/Failed to load resource/.test(m.text()) && reports.push(`${page.url()}: ${m.text()}`));
  page.on('pageerror', (e) => reports.push(`${page.url()}: ${e.message}`));
  page.on('request', (r) => new URL(r.url()).origin === at || reports.push(`off-origin: ${r.url()}`));
  await page.goto(at);
  await page.locator('input[type=password]').fill(token);
  await page.locator('form button[type=submit]').click();
  await page.locator('.shell').waitFor();
  return { context, page };
}

const settle = (page) => page.waitForTimeout(900); // queries, the chart, skeletons

/** shoot takes all that one could scroll to, within reason. */
async function shoot(page, name) {
  const { width, height } = page.viewportSize();
  const more = await page.evaluate(() => {
    const main = document.querySelector('.shell > main');
    return main ? main.scrollHeight - main.clientHeight : 0;
  });
  if (more > 0) {
    await page.setViewportSize({ width, height: Math.min(height + more, 2400) });
    await page.waitForTimeout(150);
  }
  await page.screenshot({ path: join(out, `${name}.png`) });
  if (more > 0) await page.setViewportSize({ width, height });
}

try {
  for (const [castName, cast] of Object.entries(casts)) {
    const names = Object.keys(pages).filter((p) => !cast.pages || cast.pages.includes(p));
    const list = cast.looks.flatMap((l) => names.map((p) => ({ l, p, name: `${p}-${castName === 'full' ? '' : `${castName}-`}${l}` }))).filter((x) => wanted(x.name));
    if (list.length === 0) continue;
    const g = await start(cast.gateway);
    try {
      if (cast.talk) await talk(g.at, cast.talk);
      for (const l of cast.looks) {
        const mine = list.filter((x) => x.l === l);
        if (mine.length === 0) continue;
        const { context, page } = await look(g.at, looks[l]);
        for (const { p, name } of mine) {
          await page.goto(g.at + pages[p]);
          await page.locator('.page').waitFor();
          await settle(page);
          await shoot(page, name);
        }
        await context.close();
      }
    } finally {
      await g.stop();
    }
  }

  // What belongs to no page: the way in, the palette, the keys, and silence.
  const shell = ['signin-light', 'signin-dark', 'palette-light', 'palette-dark', 'keys-light', 'menu-dark', 'error-light', 'error-dark', 'down-light', 'down-dark'].filter(wanted);
  if (shell.length > 0) {
    const g = await start({});
    try {
      for (const theme of ['light', 'dark']) {
        if (!shell.some((s) => s.endsWith(theme))) continue;
        const context = await browser.newContext({ viewport: desk, colorScheme: theme, reducedMotion: 'reduce', locale: 'en' });
        const way = await context.newPage();
        await way.goto(g.at);
        await way.locator('.signin').waitFor();
        if (shell.includes(`signin-${theme}`)) await shoot(way, `signin-${theme}`);
        await context.close();

        const { context: c, page } = await look(g.at, looks[theme]);
        await settle(page);
        if (shell.includes(`palette-${theme}`)) {
          await page.keyboard.press('Control+k');
          await page.locator('.palette').waitFor();
          await shoot(page, `palette-${theme}`);
          await page.keyboard.press('Escape');
          await page.locator('.palette').waitFor({ state: 'hidden' }); // else it takes the next key
        }
        if (shell.includes(`keys-${theme}`)) {
          await page.keyboard.press('?');
          await page.locator('.dialog').waitFor();
          await shoot(page, `keys-${theme}`);
          await page.keyboard.press('Escape');
        }
        if (shell.includes(`menu-${theme}`)) {
          await page.locator('.bar-acts .icon-button').nth(1).click();
          await page.locator('.menu').waitFor();
          await shoot(page, `menu-${theme}`);
          await page.keyboard.press('Escape');
        }
        if (shell.includes(`error-${theme}`)) {
          await page.route('**/api/overview*', (r) => r.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ status: 500, code: 'internal', title: 'Internal Server Error', detail: 'the disk is gone' }) }));
          await page.route('**/api/accounts', (r) => r.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ status: 500, code: 'internal', title: 'Internal Server Error', detail: 'the disk is gone' }) }));
          await page.reload();
          await page.locator('.error').first().waitFor();
          await settle(page);
          await shoot(page, `error-${theme}`);
          await page.unrouteAll({ behavior: 'ignoreErrors' });
        }
        if (shell.includes(`down-${theme}`)) {
          await page.reload();
          await settle(page);
          await page.route('**/api/**', (r) => r.abort());
          await until('the notice', async () => page.locator('.silence').isVisible(), 20_000);
          await shoot(page, `down-${theme}`);
        }
        await c.close();
      }
    } finally {
      await g.stop();
    }
  }
} finally {
  await close();
}

if (reports.length > 0) {
  console.error([...new Set(reports)].join('\n'));
  process.exit(1);
}

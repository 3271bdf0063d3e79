// The journey of the security page in the real binary: a rule is refused, made
// and removed, a refused call is found, a session ended, a password set and
// changed. Each place is looked at by axe, and pictures are taken of it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { open, ready } from './browser.mjs';
import { start, token } from './gateway.mjs';

const out = new URL('shots', import.meta.url).pathname;
mkdirSync(out, { recursive: true });
ready();

const reports = [];
const say = (text) => reports.push(text);
const { browser, close } = await open();
const g = await start({ requests: 200 });

/** enter opens a browser of its own and signs in. */
async function enter({ theme = 'light', lang = 'en', width = 1440, secret = token } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, locale: lang, reducedMotion: 'reduce', colorScheme: theme });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('console', (m) => m.type() === 'error' && !/Failed to load resource/.test(m.text()) && say(m.text()));
  page.on('pageerror', (e) => say(e.message));
  page.on('request', (r) => new URL(r.url()).origin === g.at || say(`off-origin: ${r.url()}`));
  await page.goto(`${g.at}/security`);
  await signIn(page, secret);
  return { context, page };
}

async function signIn(page, secret) {
  await page.locator('.signin input[type=password]').fill(secret);
  await page.locator('.signin button[type=submit]').click();
  await page.locator('.page').waitFor();
}

async function look(page, name) {
  await page.screenshot({ path: join(out, `security-${name}.png`) });
  // In a function, since the policy permits no script in an element.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] }));
  for (const v of violations) say(`${name}: ${v.id}: ${v.help} (${v.nodes.map((n) => n.target.join(' ')).slice(0, 3)})`);
}

try {
  const { page } = await enter();
  const tab = (name) => page.getByRole('tab', { name }).click();
  await page.locator('.checks li').first().waitFor();
  await look(page, 'checks');

  // A rule: none, one that would lock its author out, one that is wrong, one that is made, and its end.
  await tab('Addresses');
  await page.locator('.empty').waitFor();
  await look(page, 'rules-empty');
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Address or range').fill('no address');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.locator('.field-error').waitFor();
  // This machine is never kept out, so the refusal is played.
  await page.route('**/api/access/rules', (r) =>
    r.request().method() === 'POST' ? r.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ status: 409, code: 'would_lock_out', title: 'Conflict', detail: 'your own address, 192.0.2.7, could not call any more; send force if that is what you want' }) }) : r.continue(),
  );
  await dialog.getByLabel('Address or range').fill('192.0.2.0/24');
  await dialog.getByLabel('Why').fill('guesses keys');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByRole('button', { name: 'Add it and lock myself out' }).waitFor();
  await look(page, 'lockout');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await dialog.getByRole('button', { name: 'Add it and lock myself out' }).click();
  const row = page.getByRole('row', { name: /192\.0\.2\.0\/24/ });
  await row.getByText('keeps out').waitFor();
  await look(page, 'rules');
  await row.getByRole('button', { name: 'Remove the rule for 192.0.2.0/24' }).click();
  await dialog.getByRole('button', { name: 'Remove rule' }).click();
  await page.locator('.empty').waitFor();

  // Somebody guesses a token; it stands among the refused, and leads to a rule.
  await fetch(`${g.at}/api/status`, { headers: { authorization: 'Bearer at-wrong-0123456789abcdefghijklmnopq' } });
  await tab('Refused');
  await page.getByRole('row', { name: /admin_invalid_key/ }).first().waitFor();
  await look(page, 'refused');
  await page.getByRole('link', { name: 'admin_invalid_key' }).first().click();
  await page.waitForURL(/what=admin_invalid_key/);
  await page.getByRole('link', { name: 'Keep out' }).first().click();
  await dialog.getByLabel('Address or range').waitFor();
  await page.keyboard.press('Escape');

  await tab('Audit log');
  await page.getByRole('link', { name: 'remove-address-rule' }).waitFor();
  await look(page, 'acts');

  // Another browser is signed out from here.
  const other = await enter();
  await tab('Signing in');
  await page.getByRole('button', { name: 'End session' }).nth(1).waitFor();
  await look(page, 'sessions');
  await page.locator('.tr', { hasNotText: 'this one' }).getByRole('button', { name: 'End session' }).click();
  await dialog.getByRole('button', { name: 'End session' }).click();
  await page.getByText('The session is over.').waitFor();
  await other.page.goto(g.at);
  await other.page.locator('.signin').waitFor();

  // A password: set, wrong once, changed with the right one.
  await page.getByLabel('New password').fill('a good password');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.locator('.signin').waitFor();
  await signIn(page, 'a good password');
  await page.getByText('A password is set.').waitFor();
  await page.getByLabel('Password until now, or admin token').fill('not the password');
  await page.getByLabel('New password').fill('another good password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.locator('.password .field-error').waitFor();
  await look(page, 'password-wrong');
  await page.getByLabel('Password until now, or admin token').fill('a good password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.locator('.signin').waitFor();
  await signIn(page, 'another good password');

  for (const [name, how] of Object.entries({ dark: { theme: 'dark' }, ar: { lang: 'ar' }, ko: { theme: 'dark', lang: 'ko' }, phone: { width: 360 } })) {
    const { context, page } = await enter(how);
    for (const t of ['checks', 'sessions', 'rules', 'refused', 'acts']) {
      await page.goto(`${g.at}/security?tab=${t}`);
      await page.locator('.tab-body:not([hidden]) :is(.checks li, .tr:not(.th-row), .empty-title)').first().waitFor();
      await look(page, `${name}-${t}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) say(`${name} ${t}: ${wide} px too wide`);
    }
    await context.close();
  }
} finally {
  await g.stop();
  await close();
}

if (reports.length > 0) {
  console.error([...new Set(reports)].join('\n'));
  process.exit(1);
}

// Chromium as Debian packages it, and the machine's fonts: installed by apt-get
// where they are missing, by who runs the pictures and nobody else.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

const fonts = ['fonts-noto-core', 'fonts-noto-cjk'];

/** ready installs what is missing, or says what to install. */
export function ready() {
  const missing = existsSync(executablePath) ? [] : ['chromium'];
  for (const f of fonts) {
    try {
      execFileSync('dpkg', ['-s', f], { stdio: 'ignore' });
    } catch {
      missing.push(f);
    }
  }
  if (missing.length === 0) return;
  try {
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { stdio: 'ignore' });
  } catch {
    throw new Error(`the pictures need ${missing.join(', ')}: apt-get install ${missing.join(' ')}`);
  }
}

/** open starts a browser that talks to nobody but loopback. */
export async function open() {
  const profile = mkdtempSync(join(tmpdir(), 'portico-chromium-'));
  const browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', `--crash-dumps-dir=${profile}`],
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

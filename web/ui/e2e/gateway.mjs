// The real binary on loopback ports of its own, with a past and upstreams that
// internal/gallery plays.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../../..', import.meta.url).pathname;

export const token = 'at-gallery-0123456789abcdefghijklmnop';

async function freePort() {
  const s = createServer().listen(0, '127.0.0.1');
  await once(s, 'listening');
  const { port } = s.address();
  s.close();
  await once(s, 'close');
  return port;
}

/** until waits for something to be true. */
export async function until(what, f, ms = 15_000) {
  const end = Date.now() + ms;
  for (;;) {
    if (await f().catch(() => false)) return;
    if (Date.now() > end) throw new Error(`${what} did not come about`);
    await new Promise((r) => setTimeout(r, 100));
  }
}

/**
 * start runs a gateway: with a past of so many requests and so many accounts, or
 * with nothing at all.
 */
export async function start({ requests = 12_000, accounts = 6, empty = false } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'portico-shots-'));
  const port = await freePort();
  const gallery = spawn(join(root, 'bin/gallery'), ['-dir', dir, '-port', String(port), '-token', token, '-requests', String(empty ? 0 : requests), '-accounts', String(empty ? 0 : accounts)], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(gallery.stdout, 'data');
  const gateway = spawn(join(root, 'bin/portico'), ['serve', '--data-dir', dir, '--config', join(dir, 'portico.yaml')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const at = `http://127.0.0.1:${port}`;
  const stop = async () => {
    for (const p of [gateway, gallery]) {
      if (p.exitCode !== null) continue;
      p.kill();
      await once(p, 'exit');
    }
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await until('the gateway', async () => (await fetch(`${at}/readyz`)).ok);
  } catch (e) {
    await stop();
    throw e;
  }
  return { at, dir, gateway, stop };
}

/** talk sends a few requests, so that accounts have served, wait and are refused. */
export async function talk(at, n = 12) {
  const models = ['claude-sonnet-4-5', 'gpt-5', 'gemini-2.5-flash', 'claude-haiku-4-5', 'gpt-4o', 'simulator'];
  for (let i = 0; i < n; i++) {
    const body = JSON.stringify({ model: models[i % models.length], messages: [{ role: 'user', content: `Good morning, ${i}.` }] });
    await fetch(`${at}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', 'user-agent': 'opencode/1.0' }, body })
      .then((r) => r.text())
      .catch(() => undefined);
  }
}

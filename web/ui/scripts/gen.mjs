// Makes src/api/schema.d.ts of the gateway's own description of its API:
// node scripts/gen.mjs openapi.json
//
// The generator wants an older compiler than the page is built with, so it is
// fetched beside it. A test of the API says when this is due.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const target = new URL('../src/api/schema.d.ts', import.meta.url).pathname;
const source = resolve(process.argv[2]);
const dir = mkdtempSync(join(tmpdir(), 'portico-gen-'));
try {
  const tools = ['--package=typescript@5.9.3', '--package=openapi-typescript@7.13.0'];
  const types = execFileSync('npm', ['exec', '--yes', ...tools, '--', 'openapi-typescript', source], {
    cwd: dir,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 26,
  });
  writeFileSync(target, types);
} finally {
  rmSync(dir, { recursive: true });
}

// What the programs of this folder share. Each is called with the gateway's
// address, and PROTOCOL says in which protocol its client speaks. ONLY and
// SKIP name checks, with commas between them. The upstream does what the last
// text of the user tells it in double brackets.
import assert from 'node:assert/strict';

export const base = (process.argv[2] || '').replace(/\/$/, '');
export const protocol = process.env.PROTOCOL || 'openai-chat';
if (!base) {
  console.error('usage: PROTOCOL=... node PROGRAM.mjs ADDRESS');
  process.exit(2);
}
export const key = process.env.KEY || 'sk-portico-dummy';
export const models = {
  'openai-chat': 'gpt-5.1',
  'openai-responses': 'gpt-5.1',
  anthropic: 'claude-opus-5-5',
  gemini: 'gemini-3-pro',
};
export const model = models[protocol];
assert.ok(model, `there is no protocol ${protocol}`);

export const hello = 'Hello from mock.';
export const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
export const oneCall = '[[tool:get_weather {"city":"Paris"}]]';
export const twoCalls = oneCall + ' [[tool:get_weather {"city":"Oslo, Norge \\u00e6"}]]';
export const cities = ['Paris', 'Oslo, Norge æ'];

const list = (name) => (process.env[name] || '').split(',').filter(Boolean);
const only = list('ONLY');
const skip = list('SKIP');
const failed = [];
let made = 0;

// check runs one check, for at most half a minute.
export async function check(name, run) {
  if ((only.length && !only.includes(name)) || skip.includes(name)) return;
  made++;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took over 30 s')), 30_000);
  });
  try {
    await Promise.race([run(), late]);
    console.log('ok   ' + name);
  } catch (e) {
    failed.push(name);
    console.log(`FAIL ${name}: ${String(e?.stack || e).split('\n').slice(0, 5).join('\n     ')}`);
  } finally {
    clearTimeout(timer);
  }
}

// fails returns the error with which run ends.
export async function fails(run) {
  let got;
  try {
    got = await run();
  } catch (e) {
    return e;
  }
  throw new Error('no error, but ' + JSON.stringify(got)?.slice(0, 300));
}

export function end(name) {
  console.log(failed.length ? `FAIL ${name}: ${failed.length} of ${made} failed: ${failed.join(', ')}` : `PASS ${name} (${made} checks)`);
  process.exit(failed.length ? 1 : 0);
}

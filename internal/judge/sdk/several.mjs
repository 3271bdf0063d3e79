// Several candidates of one answer, with the official SDKs that stand in the
// folder of clients (SDKS). The upstream gives no two that are the same.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { base, check, end, fails, key, model, protocol } from './check.mjs';

const load = createRequire(path.join(process.env.SDKS, 'index.js'));
const prompt = '[[several]]';

// apart: there are as many as were asked for, and no two are the same.
function apart(texts, n) {
  assert.equal(texts.length, n, JSON.stringify(texts));
  for (const t of texts) assert.match(t, /^Candidate \d+\.$/);
  assert.equal(new Set(texts).size, n, JSON.stringify(texts));
}

async function openai() {
  const { OpenAI } = load('openai');
  const client = new OpenAI({ apiKey: key, baseURL: base + '/v1', maxRetries: 0 });
  const ask = (n) => ({ model, n, messages: [{ role: 'user', content: prompt }] });
  for (const n of [1, 3, 8]) {
    await check(`whole.${n}`, async () => {
      const r = await client.chat.completions.create(ask(n));
      apart(r.choices.map((c) => c.message.content), n);
      assert.deepEqual(r.choices.map((c) => c.index), [...Array(n).keys()]);
      assert.ok(r.choices.every((c) => c.finish_reason === 'stop'));
      assert.ok(r.usage.completion_tokens >= 7);
    });
    await check(`stream.${n}`, async () => {
      const texts = Array(n).fill('');
      const ends = Array(n).fill(0);
      let usage = 0;
      const ids = new Set();
      for await (const chunk of await client.chat.completions.create({ ...ask(n), stream: true, stream_options: { include_usage: true } })) {
        ids.add(chunk.id);
        if (chunk.usage) usage++;
        for (const c of chunk.choices) {
          assert.equal(ends[c.index], 0, 'a candidate goes on after its end');
          texts[c.index] += c.delta.content ?? '';
          if (c.finish_reason) ends[c.index]++;
        }
      }
      apart(texts, n);
      assert.deepEqual(ends, Array(n).fill(1));
      assert.equal(usage, 1);
      assert.equal(ids.size, 1);
    });
    await check(`helper.${n}`, async () => {
      const r = await client.chat.completions.stream(ask(n)).finalChatCompletion();
      apart(r.choices.map((c) => c.message.content), n);
    });
    await check(`completions.${n}`, async () => {
      const r = await client.completions.create({ model, n, prompt });
      apart(r.choices.map((c) => c.text), n);
    });
  }
}

async function google() {
  const { GoogleGenAI } = load('@google/genai');
  const client = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } });
  const said = (c) => (c.content?.parts ?? []).filter((p) => !p.thought).map((p) => p.text ?? '').join('');
  for (const n of [1, 3, 8]) {
    const ask = { model, contents: prompt, config: { candidateCount: n } };
    await check(`whole.${n}`, async () => {
      const r = await client.models.generateContent(ask);
      apart(r.candidates.map(said), n);
      assert.deepEqual(r.candidates.map((c) => c.index ?? 0), [...Array(n).keys()]);
      assert.ok(r.candidates.every((c) => c.finishReason === 'STOP'));
    });
    await check(`stream.${n}`, async () => {
      const texts = Array(n).fill('');
      const ends = Array(n).fill(0);
      for await (const chunk of await client.models.generateContentStream(ask)) {
        for (const c of chunk.candidates ?? []) {
          texts[c.index ?? 0] += said(c);
          if (c.finishReason) ends[c.index ?? 0]++;
        }
      }
      apart(texts, n);
      assert.deepEqual(ends, Array(n).fill(1));
    });
  }
}

await (protocol === 'gemini' ? google() : openai());
await check('refused', async () => { // an error is one error, however many are asked for
  const { OpenAI } = load('openai');
  const client = new OpenAI({ apiKey: key, baseURL: base + '/v1', maxRetries: 0 });
  const e = await fails(() => client.chat.completions.create({ model, n: 3, messages: [{ role: 'user', content: '[[err:400]]' }] }));
  assert.equal(e.status, 400);
  assert.match(e.message, /mock error 400/);
});
end(`several, ${protocol}`);

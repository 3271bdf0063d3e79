// The Vercel AI SDK, with its own provider for each protocol.
import assert from 'node:assert/strict';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, Output, generateText, isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';
import { base, check, cities, end, fails, hello, key, model as name, oneCall, png, protocol, twoCalls } from './check.mjs';

const model = {
  'openai-chat': () => createOpenAI({ apiKey: key, baseURL: base + '/v1' }).chat(name),
  'openai-responses': () => createOpenAI({ apiKey: key, baseURL: base + '/v1' }).responses(name),
  anthropic: () => createAnthropic({ apiKey: key, baseURL: base + '/v1' })(name),
  gemini: () => createGoogleGenerativeAI({ apiKey: key, baseURL: base + '/v1beta' })(name),
}[protocol]();

const weather = (seen) => ({
  get_weather: tool({
    description: 'The weather of a city.',
    inputSchema: z.object({ city: z.string(), unit: z.enum(['c', 'f']).optional() }),
    execute: async ({ city }) => {
      seen.push(city);
      return `sunny in ${city}`;
    },
  }),
});
const ask = (prompt, more = {}) => ({ model, prompt, maxRetries: 0, ...more });
const image = [{ role: 'user', content: [{ type: 'text', text: '[[describe]]' }, { type: 'file', data: png, mediaType: 'image/png' }] }];

// sound: what the upstream makes of the schema, and nothing else.
function sound(object) {
  assert.equal(object.a, 'mock');
  assert.ok(Number.isInteger(object.b), JSON.stringify(object));
}

await check('text', async () => {
  const r = await generateText(ask('hi'));
  assert.equal(r.text, hello);
  assert.equal(r.finishReason, 'stop');
  assert.equal(r.usage.inputTokens, 11);
  assert.equal(r.usage.outputTokens, 7);
  assert.deepEqual(r.warnings ?? [], []);
});
await check('stream', async () => {
  const r = streamText(ask('hi'));
  let text = '';
  for await (const part of r.textStream) text += part;
  assert.equal(text, hello);
  assert.equal(await r.finishReason, 'stop');
  assert.equal((await r.usage).outputTokens, 7);
});
await check('system', async () => {
  const r = await generateText(ask('[[describe]]', { system: 'SYS' }));
  assert.match(JSON.parse(r.text).system, /SYS/);
});
await check('image', async () => {
  const r = await generateText({ model, messages: image, maxRetries: 0 });
  assert.equal(JSON.parse(r.text).media[0].mime, 'image/png');
});
await check('tool', async () => {
  const seen = [];
  const r = await generateText(ask(oneCall, { tools: weather(seen), stopWhen: isStepCount(3) }));
  assert.deepEqual(seen, ['Paris']);
  assert.match(r.text, /DONE 1 results: .*sunny in Paris/s);
});
await check('tools.stream', async () => {
  const seen = [];
  const r = streamText(ask(twoCalls, { tools: weather(seen), stopWhen: isStepCount(3) }));
  const kinds = [];
  for await (const part of r.fullStream) kinds.push(part.type);
  assert.ok(!kinds.includes('error'), kinds.join(' '));
  assert.deepEqual(seen.toSorted(), cities.toSorted());
  assert.match(await r.text, /DONE 2 results: /);
});
await check('object', async () => {
  const r = await generateText(ask('x', { output: Output.object({ schema: z.object({ a: z.string(), b: z.number().int() }) }) }));
  sound(r.output);
});
await check('object.stream', async () => {
  const r = streamText(ask('x', { output: Output.object({ schema: z.object({ a: z.string(), b: z.number().int() }) }) }));
  for await (const part of r.fullStream) if (part.type === 'error') throw part.error;
  sound(await r.output);
});
await check('thinking', async () => {
  const providerOptions = {
    openai: { reasoningEffort: 'high', reasoningSummary: 'auto', include: ['reasoning.encrypted_content'], store: false },
    anthropic: { thinking: { type: 'adaptive', display: 'summarized' } },
    google: { thinkingConfig: { includeThoughts: true, thinkingLevel: 'high' } },
  };
  const r = streamText(ask('[[think]]', { providerOptions }));
  for await (const part of r.fullStream) if (part.type === 'error') throw part.error;
  assert.equal(await r.text, hello);
  if (protocol !== 'openai-chat') { // its SDK has no seat for thoughts
    assert.match((await r.reasoningText) ?? '', /think about it/);
  }
  const before = (await r.response).messages;
  const next = await generateText({ model, maxRetries: 0, providerOptions, messages: [{ role: 'user', content: '[[think]]' }, ...before, { role: 'user', content: 'hi' }] });
  assert.equal(next.text, hello);
});
await check('length', async () => {
  assert.equal((await generateText(ask('[[len]]'))).finishReason, 'length');
});
await check('400', async () => {
  const e = await fails(() => generateText(ask('[[err:400]]')));
  assert.ok(APICallError.isInstance(e), String(e));
  assert.equal(e.statusCode, 400);
  assert.match(e.message, /mock error 400/);
  assert.equal(e.isRetryable, false);
});
await check('429', async () => {
  const e = await fails(() => generateText(ask('[[err:429]]')));
  assert.ok(APICallError.isInstance(e), String(e));
  assert.equal(e.statusCode, 429);
  assert.equal(e.isRetryable, true);
});
end(`ai, ${protocol}`);

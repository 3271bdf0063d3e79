// LangChain, with its own chat model for each protocol.
import assert from 'node:assert/strict';
import { ChatAnthropic } from '@langchain/anthropic';
import { AIMessage, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatOpenAI } from '@langchain/openai';
import { z } from 'zod';
import { base, check, cities, end, fails, hello, key, model as name, oneCall, png, protocol, twoCalls } from './check.mjs';

const model = {
  'openai-chat': () => new ChatOpenAI({ model: name, apiKey: key, maxRetries: 0, configuration: { baseURL: base + '/v1' } }),
  'openai-responses': () => new ChatOpenAI({ model: name, apiKey: key, maxRetries: 0, useResponsesApi: true, configuration: { baseURL: base + '/v1' } }),
  anthropic: () => new ChatAnthropic({ model: name, apiKey: key, maxRetries: 0, maxTokens: 1024, anthropicApiUrl: base }),
  gemini: () => new ChatGoogleGenerativeAI({ model: name, apiKey: key, maxRetries: 0, baseUrl: base }),
}[protocol]();

const weather = tool(async ({ city }) => `sunny in ${city}`, {
  name: 'get_weather',
  description: 'The weather of a city.',
  schema: z.object({ city: z.string() }),
});
const able = model.bindTools([weather]);

// whole gathers a stream. Google's calls come whole, and LangChain would join
// two of them to one, whoever answers.
async function whole(stream) {
  let all;
  const calls = [];
  for await (const part of stream) {
    all = all ? all.concat(part) : part;
    calls.push(...(part.tool_calls ?? []));
  }
  return protocol === 'gemini' && calls.length ? { content: all.content, tool_calls: calls } : all;
}
// loop answers calls until there is none left.
async function loop(ask, prompt) {
  const messages = [new HumanMessage(prompt)];
  for (let turn = 0; turn < 3; turn++) {
    const said = await ask(messages);
    messages.push(new AIMessage(said));
    if (!said.tool_calls?.length) return { text: said.text, messages };
    for (const call of said.tool_calls) messages.push(new ToolMessage({ tool_call_id: call.id, name: call.name, content: await weather.invoke(call.args) }));
  }
  throw new Error('the loop does not end');
}
const called = (messages) => messages.flatMap((m) => m.tool_calls ?? []).map((c) => c.args.city);

// sound: what the upstream makes of the schema, and nothing else.
function sound(object) {
  assert.equal(object.a, 'mock');
  assert.ok(Number.isInteger(object.b), JSON.stringify(object));
}

await check('text', async () => {
  const r = await model.invoke('hi');
  assert.equal(r.text, hello);
  assert.equal(r.usage_metadata.input_tokens, 11);
  assert.equal(r.usage_metadata.output_tokens, 7);
});
await check('stream', async () => {
  assert.equal((await whole(await model.stream('hi'))).text, hello);
});
await check('system', async () => {
  const r = await model.invoke([new SystemMessage('SYS'), new HumanMessage('[[describe]]')]);
  assert.match(JSON.parse(r.text).system, /SYS/);
});
await check('image', async () => {
  const content = [{ type: 'text', text: '[[describe]]' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,' + png } }];
  const r = await model.invoke([new HumanMessage({ content })]);
  assert.equal(JSON.parse(r.text).media[0].mime, 'image/png');
});
await check('tool', async () => {
  const { text, messages } = await loop((m) => able.invoke(m), oneCall);
  assert.deepEqual(called(messages), ['Paris']);
  assert.match(text, /DONE 1 results: .*sunny in Paris/s);
});
await check('tools.stream', async () => {
  const { text, messages } = await loop(async (m) => whole(await able.stream(m)), twoCalls);
  assert.deepEqual(called(messages), cities);
  assert.match(text, /DONE 2 results: /);
});
await check('object', async () => {
  const r = await model.withStructuredOutput(z.object({ a: z.string(), b: z.number().int() }), { method: 'jsonSchema' }).invoke('x');
  sound(r);
});
await check('400', async () => {
  assert.match(String(await fails(() => model.invoke('[[err:400]]'))), /mock error 400/);
});
await check('429', async () => {
  const e = await fails(() => model.invoke('[[err:429]]'));
  assert.match(`${e.status} ${e.name} ${e.message}`, /429/);
});
end(`langchain, ${protocol}`);

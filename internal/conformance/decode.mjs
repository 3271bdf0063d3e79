// Asks the gateway for every answer that stands on standard input, a line of
// JSON each, with the official SDK of the client's protocol, and lets the SDK
// put the answer together. SDKS is the folder in which they are installed.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';

const base = process.argv[2];
const load = createRequire(path.join(process.env.SDKS, 'index.js'));
const key = 'sk-conformance';
const { OpenAI } = load('openai');
const Anthropic = load('@anthropic-ai/sdk').Anthropic ?? load('@anthropic-ai/sdk').default;
const { GoogleGenAI } = load('@google/genai');
const openai = new OpenAI({ apiKey: key, baseURL: base + '/v1', maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: key, baseURL: base, maxRetries: 0 });
const google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: base } });

const ask = {
  async 'openai-chat'({ model, body, stream }) {
    const r = stream
      ? await openai.chat.completions.stream({ ...body, model }).finalChatCompletion()
      : await openai.chat.completions.create({ ...body, model });
    assert.ok(r.choices.length > 0, 'no choices');
    for (const c of r.choices) {
      assert.ok(c.finish_reason, 'no finish_reason');
      for (const k of c.message.tool_calls ?? []) assert.ok(k.id && (k.function?.name || k.custom?.name), JSON.stringify(k));
    }
  },
  async 'openai-responses'({ model, body, stream }) {
    const r = stream ? await openai.responses.stream({ ...body, model }).finalResponse() : await openai.responses.create({ ...body, model });
    assert.ok(['completed', 'incomplete'].includes(r.status), r.status);
    assert.equal(typeof r.output_text, 'string');
    for (const o of r.output) assert.ok(o.type, JSON.stringify(o));
  },
  async anthropic({ model, body, stream }) {
    const r = stream ? await anthropic.messages.stream({ ...body, model }).finalMessage() : await anthropic.messages.create({ ...body, model });
    assert.equal(r.role, 'assistant');
    assert.ok(r.stop_reason, 'no stop_reason');
    for (const b of r.content) if (b.type === 'tool_use') assert.ok(b.id && b.name, JSON.stringify(b));
  },
  async gemini({ model, body, stream }) {
    const { contents, generationConfig, tools } = body;
    const asked = { model, contents, config: { ...generationConfig, tools } };
    let finish;
    const seen = (r) => {
      for (const c of r.candidates ?? []) finish = c.finishReason ?? finish;
      finish ??= r.promptFeedback?.blockReason;
      void r.text, r.functionCalls;
    };
    if (stream) for await (const r of await google.models.generateContentStream(asked)) seen(r);
    else seen(await google.models.generateContent(asked));
    assert.ok(finish, 'no finishReason');
  },
};

const made = {};
const failed = {};
console.warn = console.debug = () => {};
for await (const line of readline.createInterface({ input: process.stdin })) {
  const q = JSON.parse(line);
  made[q.client] = (made[q.client] ?? 0) + 1;
  try {
    await ask[q.client](q);
  } catch (e) {
    failed[q.client] = (failed[q.client] ?? 0) + 1;
    console.log(`- ${q.client} does not decode ${q.name}: ${String(e?.message ?? e).split('\n')[0].slice(0, 200)}`);
  }
}
for (const c of Object.keys(made)) console.log(`${c}: ${made[c] - (failed[c] ?? 0)} of ${made[c]} answers decoded`);
process.exit(Object.keys(failed).length ? 1 : 0);

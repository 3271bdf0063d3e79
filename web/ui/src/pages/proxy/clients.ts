// What one writes into each client so that it calls Portico (docs/clients.md).
export const clientIds = ['curl', 'python', 'javascript', 'go', 'claude-code', 'codex', 'gemini-cli', 'opencode', 'qwen-code', 'continue', 'cline', 'cherry-studio', 'open-webui'] as const;
export type ClientId = (typeof clientIds)[number];

/** A key as it is written down: a text, or the name of the variable that holds it. */
export type KeyText = { text: string } | { variable: string };

interface Want {
  base: string; // without a version, and without a slash at its end
  model: string;
  key: KeyText;
}

export interface Lines {
  /** The file they belong into; absent: they are typed into a shell, or into the client's own settings. */
  file?: string;
  form?: boolean;
  code: string;
  /** The key itself has to be put in, since no variable is read there. */
  bare?: boolean;
}

interface Client {
  name: string;
  /** The client does not add a version to its base URL by itself. */
  v1: boolean;
  /** Begins the name of a model that it can be sure to get along with. */
  model: RegExp;
  lines: (w: Want) => Lines[];
}

const bash = (s: string) => (/^[\w.:/@+-]+$/.test(s) ? s : `'${s.replaceAll("'", `'\\''`)}'`);
const json = (v: unknown) => JSON.stringify(v, null, 2);
/** shellKey is the key as a word of a shell. */
const shellKey = (k: KeyText) => ('text' in k ? bash(k.text) : `"$${k.variable}"`);
/** plainKey is the key where only a text can stand. */
const plainKey = (k: KeyText) => ('text' in k ? k.text : 'KEY');
const bare = (k: KeyText) => !('text' in k);
/** code is the key in a program: a text, or how the program reads a variable. */
const code = (k: KeyText, read: (name: string) => string) => ('text' in k ? JSON.stringify(k.text) : read(k.variable));

const gpt = /^(gpt|o\d)/;

export const clients: Record<ClientId, Client> = {
  curl: {
    name: 'curl',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        code: [
          `curl ${base}/v1/chat/completions \\`,
          `  -H ${'text' in key ? bash(`authorization: Bearer ${key.text}`) : `"authorization: Bearer $${key.variable}"`} \\`,
          `  -H 'content-type: application/json' \\`,
          `  -d ${bash(JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] }))}`,
        ].join('\n'),
      },
    ],
  },
  python: {
    name: 'Python',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        code: [
          ...('text' in key ? [] : ['import os']),
          'from openai import OpenAI',
          '',
          `client = OpenAI(base_url="${base}/v1", api_key=${code(key, (v) => `os.environ["${v}"]`)})`,
          'answer = client.chat.completions.create(',
          `    model=${JSON.stringify(model)},`,
          '    messages=[{"role": "user", "content": "Hello"}],',
          ')',
          'print(answer.choices[0].message.content)',
        ].join('\n'),
      },
    ],
  },
  javascript: {
    name: 'JavaScript',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        code: [
          'import OpenAI from "openai";',
          '',
          `const client = new OpenAI({ baseURL: "${base}/v1", apiKey: ${code(key, (v) => `process.env.${v}`)} });`,
          'const answer = await client.chat.completions.create({',
          `  model: ${JSON.stringify(model)},`,
          '  messages: [{ role: "user", content: "Hello" }],',
          '});',
          'console.log(answer.choices[0].message.content);',
        ].join('\n'),
      },
    ],
  },
  go: {
    name: 'Go',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        code: [
          'package main',
          '',
          'import (',
          '\t"context"',
          '\t"fmt"',
          ...('text' in key ? [] : ['\t"os"']),
          '',
          '\t"github.com/openai/openai-go/v3"',
          '\t"github.com/openai/openai-go/v3/option"',
          ')',
          '',
          'func main() {',
          `\tclient := openai.NewClient(option.WithBaseURL("${base}/v1/"), option.WithAPIKey(${code(key, (v) => `os.Getenv("${v}")`)}))`,
          '\tanswer, err := client.Chat.Completions.New(context.Background(), openai.ChatCompletionNewParams{',
          `\t\tModel:    ${JSON.stringify(model)},`,
          '\t\tMessages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")},',
          '\t})',
          '\tif err != nil {',
          '\t\tpanic(err)',
          '\t}',
          '\tfmt.Println(answer.Choices[0].Message.Content)',
          '}',
        ].join('\n'),
      },
    ],
  },
  'claude-code': {
    name: 'Claude Code',
    v1: false,
    model: /^claude.*sonnet/,
    lines: ({ base, model, key }) => [
      { code: [`ANTHROPIC_BASE_URL=${base} \\`, `ANTHROPIC_AUTH_TOKEN=${shellKey(key)} \\`, `claude --model ${bash(model)}`].join('\n') },
      { file: '~/.claude/settings.json', bare: bare(key), code: json({ env: { ANTHROPIC_BASE_URL: base, ANTHROPIC_AUTH_TOKEN: plainKey(key) }, model }) },
    ],
  },
  codex: {
    name: 'Codex',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        file: '~/.codex/config.toml',
        code: [
          `model = ${JSON.stringify(model)}`,
          'model_provider = "portico"',
          '',
          '[model_providers.portico]',
          'name = "Portico"',
          `base_url = "${base}/v1"`,
          'wire_api = "responses"',
          'text' in key ? `experimental_bearer_token = ${JSON.stringify(key.text)}` : `env_key = "${key.variable}"`,
        ].join('\n'),
      },
    ],
  },
  'gemini-cli': {
    name: 'Gemini CLI',
    v1: false,
    model: /^gemini/,
    lines: ({ base, model, key }) => [
      { file: '~/.gemini/.env', bare: bare(key), code: [`GEMINI_API_KEY=${plainKey(key)}`, `GOOGLE_GEMINI_BASE_URL=${base}`, `GEMINI_MODEL=${model}`].join('\n') },
      { file: '~/.gemini/settings.json', code: json({ security: { auth: { selectedType: 'gemini-api-key' } } }) },
    ],
  },
  opencode: {
    name: 'opencode',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        file: '~/.config/opencode/opencode.json',
        code: json({
          $schema: 'https://opencode.ai/config.json',
          model: `portico/${model}`,
          provider: {
            portico: {
              npm: '@ai-sdk/openai-compatible',
              name: 'Portico',
              options: { baseURL: `${base}/v1`, apiKey: 'text' in key ? key.text : `{env:${key.variable}}` },
              models: { [model]: { name: model } },
            },
          },
        }),
      },
    ],
  },
  'qwen-code': {
    name: 'Qwen Code',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        file: '~/.qwen/settings.json',
        code: json({
          ...('text' in key ? { env: { PORTICO_KEY: key.text } } : {}),
          modelProviders: { openai: [{ id: model, name: `${model} via Portico`, baseUrl: `${base}/v1`, envKey: 'text' in key ? 'PORTICO_KEY' : key.variable }] },
          security: { auth: { selectedType: 'openai' } },
          model: { name: model },
        }),
      },
    ],
  },
  continue: {
    name: 'Continue',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [
      {
        file: '~/.continue/config.yaml',
        bare: bare(key),
        code: [
          'name: Portico',
          'version: 1.0.0',
          'schema: v1',
          'models:',
          '  - name: Portico',
          '    provider: openai',
          `    model: ${JSON.stringify(model)}`,
          `    apiBase: ${base}/v1`,
          `    apiKey: ${JSON.stringify(plainKey(key))}`,
          '    roles: [chat, edit, apply]',
          '    capabilities: [tool_use, image_input]',
        ].join('\n'),
      },
    ],
  },
  cline: {
    name: 'Cline',
    v1: true,
    model: gpt,
    lines: ({ base, model, key }) => [{ code: `cline auth -p openai-compatible -k ${shellKey(key)} -m ${bash(model)} -b ${base}/v1` }],
  },
  'cherry-studio': {
    name: 'Cherry Studio',
    v1: false,
    model: gpt,
    lines: ({ base, model, key }) => [{ form: true, bare: bare(key), code: ['Provider Type: OpenAI', `API Key:       ${plainKey(key)}`, `API Host:      ${base}`, `Model ID:      ${model}`].join('\n') }],
  },
  'open-webui': {
    name: 'Open WebUI',
    v1: true,
    model: gpt,
    lines: ({ base, key }) => [{ code: [`OPENAI_API_BASE_URL=${base}/v1 \\`, `OPENAI_API_KEY=${shellKey(key)} \\`, 'open-webui serve'].join('\n') }],
  },
};

/** baseOf is the base URL as the client wants it. */
export function baseOf(id: ClientId, base: string): string {
  return clients[id].v1 ? `${base}/v1` : base;
}

/** modelFor is a model that the client gets along with, among those that there are. */
export function modelFor(id: ClientId, ids: string[]): string | undefined {
  return ids.find((m) => clients[id].model.test(m)) ?? ids[0];
}

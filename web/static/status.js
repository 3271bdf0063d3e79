'use strict';

// Every text of the page. {name} stands for a value; a list of two is the form
// for one and the form for more.
const messages = {
  skip: 'Skip to the content',
  running: 'Running at',
  accounts: 'Accounts',
  locked: 'How the accounts are doing is shown to the operator.',
  token: 'Admin token',
  show: 'Show accounts',
  hint: 'It stands as admin_token in the configuration file. This page keeps it in memory only and forgets it when it is closed.',
  wrong: 'This is not the admin token.',
  limited: 'Too many wrong tokens came from here. Wait {seconds} s and try again.',
  unreachable: 'The gateway does not answer. Is it still running?',
  failed: 'The gateway answered with an error: {detail}',
  loading: 'Loading…',
  refresh: 'Refresh',
  lock: 'Lock',
  none: 'There is no account yet. Add one on the command line:',
  colAccount: 'Account',
  colProvider: 'Provider',
  colState: 'State',
  colFlying: 'In flight',
  colServed: 'Served',
  colFirst: 'First byte',
  allReady: ['The only account is ready.', 'All {total} accounts are ready.'],
  someReady: ['{able} of {total} account can serve.', '{able} of {total} accounts can serve.'],
  needsYou: ['One needs you.', '{down} need you.'],
  switchedOff: ['The only account is switched off.', 'All {total} accounts are switched off.'],
  ready: 'Ready',
  cooling: 'Waiting until {time}',
  trial: 'About to be tried again',
  down: 'Needs you',
  off: 'Switched off',
  because: '{state}: {reason}',
  again: 'It is tried again at {time}.',
  modelTrouble: ['One model waits: {models}', '{count} models wait: {models}'],
  mend: 'Mend it at the vendor’s',
  milliseconds: 'ms',
  connect: 'Connect a client',
  connectHow: 'Point your client at one of these addresses. If the gateway asks for a key, it is the api_key of the configuration (portico key show prints it); else any text will do.',
  base: 'Base URL',
  copy: 'Copy',
  copied: 'Copied',
  copyLabel: 'Copy the command for {name}',
  openai: 'OpenAI',
  openaiUsed: 'Codex, Cursor, opencode and the OpenAI SDKs',
  anthropic: 'Anthropic',
  anthropicUsed: 'Claude Code and the Anthropic SDKs',
  gemini: 'Gemini',
  geminiUsed: 'Gemini CLI and the Google Gen AI SDKs',
  // Why an account is not ready, by the class of the fault.
  rate_limited: 'too many requests in too short a time',
  quota_spent: 'its allowance is used up',
  plan_gate: 'its plan does not include this',
  model_denied: 'it does not have this model',
  model_gone: 'the vendor retired the model',
  permission: 'it may not do this',
  credential_invalid: 'its key was rejected',
  credential_expired: 'its access token is out of date',
  overloaded: 'the vendor is short of capacity',
  broken: 'the vendor failed',
  timeout: 'it was too slow',
  network: 'the connection failed',
};

// Another language is another table and another locale.
const locale = document.documentElement.lang;

function text(key, values = {}, count = 2) {
  const message = messages[key];
  const form = Array.isArray(message) ? message[count === 1 ? 0 : 1] : message;
  return form.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const $ = (id) => document.getElementById(id);

// element makes an element; children are nodes or texts, never markup.
function element(tag, properties = {}, ...children) {
  const e = Object.assign(document.createElement(tag), properties);
  e.append(...children);
  return e;
}

// say sets a text that is read aloud when it changes, so only when it does.
function say(id, s) {
  if ($(id).textContent !== s) $(id).textContent = s;
}

const version = document.querySelector('meta[name="portico-version"]').content;
const origin = location.origin;

// ---- How to connect: public ----

// A gateway without the simulator has models that only the operator may list.
const model = document.querySelector('meta[name="portico-model"]').content || 'MODEL';
const json = '-H "Content-Type: application/json"';
const dialects = [
  dialect('openai', '/v1', '/v1/chat/completions', ['-H "Authorization: Bearer $PORTICO_KEY"', json],
    { model, messages: [{ role: 'user', content: 'Hello' }] }),
  dialect('anthropic', '', '/v1/messages', ['-H "x-api-key: $PORTICO_KEY"', '-H "anthropic-version: 2023-06-01"', json],
    { model, max_tokens: 256, messages: [{ role: 'user', content: 'Hello' }] }),
  dialect('gemini', '/v1beta', `/v1beta/models/${model}:generateContent`, ['-H "x-goog-api-key: $PORTICO_KEY"', json],
    { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] }),
];

function dialect(name, base, path, headers, body) {
  return { name, base: origin + base, command: [`curl ${origin}${path}`, ...headers, `-d '${JSON.stringify(body)}'`].join(' \\\n  ') };
}

function showDialects() {
  $('dialects').replaceChildren(...dialects.map((d) => {
    const copy = element('button', { type: 'button' }, text('copy'));
    copy.setAttribute('aria-label', text('copyLabel', { name: text(d.name) }));
    const command = element('code', {}, d.command);
    copy.addEventListener('click', async () => {
      await copyText(d.command, command);
      copy.textContent = text('copied');
      setTimeout(() => { copy.textContent = text('copy'); }, 1500);
    });
    return element('div', { className: 'dialect' },
      element('div', { className: 'row' },
        element('h3', {}, text(d.name)),
        element('span', { className: 'unit' }, text('base')),
        element('code', {}, d.base),
        element('span', { className: 'used' }, text(d.name + 'Used'))),
      element('div', { className: 'copyable' }, element('pre', {}, command), copy));
  }));
}

// copyText copies, also where the page is not a secure context and has no
// clipboard: there the text is selected and copied as a person would.
async function copyText(s, node) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(s);
      return;
    } catch { /* not permitted: the old way may be */ }
  }
  getSelection().selectAllChildren(node);
  document.execCommand('copy');
}

// ---- Accounts: with the admin token only ----

let token = ''; // in memory, nowhere else

class Refused extends Error {}

// ask gets path from the admin API. What it throws can be shown.
async function ask(path) {
  let response;
  try {
    response = await fetch(path, { headers: { Authorization: 'Bearer ' + token }, cache: 'no-store', credentials: 'omit' });
  } catch {
    throw new Error(text('unreachable'));
  }
  if (response.ok) return response.json();
  if (response.status === 401) throw new Refused(text('wrong'));
  if (response.status === 429) throw new Refused(text('limited', { seconds: response.headers.get('Retry-After') ?? '60' }));
  const problem = await response.json().catch(() => ({}));
  throw new Error(text('failed', { detail: problem.detail ?? response.status }));
}

// Each state has a shape and a word, so that its colour never speaks alone.
const states = {
  ready: { className: 'well', mark: '●' },
  cooling: { className: 'waiting', mark: '◐' },
  trial: { className: 'waiting', mark: '◐' },
  down: { className: 'needs', mark: '▲' },
  off: { className: 'off', mark: '○' },
};

const number = new Intl.NumberFormat(locale);
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });

function moment(iso) {
  const at = new Date(iso);
  return (Math.abs(at - Date.now()) < 12 * 3600e3 ? clock : day).format(at);
}

// summary is the page's sentence.
function summary(accounts) {
  const count = (...names) => accounts.filter((a) => names.includes(a.state)).length;
  const total = accounts.length - count('off'), able = count('ready', 'trial'), down = count('down');
  if (total === 0) return text('switchedOff', { total: accounts.length }, accounts.length);
  let s = able === total ? text('allReady', { total }, total) : text('someReady', { able, total }, total);
  if (down > 0) s += ' ' + text('needsYou', { down }, down);
  return s;
}

function detail(...children) {
  return element('span', { className: 'detail' }, ...children);
}

function row(a) {
  const s = states[a.state] ?? states.off;
  const mark = element('span', { className: 'mark ' + s.className }, s.mark);
  mark.setAttribute('aria-hidden', 'true');
  const time = a.until ? moment(a.until) : '';
  let words = text(a.state in states ? a.state : 'off', { time });
  if (a.why in messages) words = text('because', { state: words, reason: text(a.why) });
  const state = element('td', { className: 'state', role: 'cell' }, mark, ' ', element('span', { className: s.className }, words));
  if (a.message) state.append(detail(a.message));
  if (a.state === 'down') state.append(detail(text('again', { time })));
  if (a.link && /^https:\/\//.test(a.link)) {
    state.append(detail(element('a', { href: a.link, rel: 'noreferrer noopener', target: '_blank' }, text('mend'))));
  }
  if (a.trouble.length > 0) {
    state.append(detail(text('modelTrouble', { count: a.trouble.length, models: a.trouble.map((t) => t.model).join(', ') }, a.trouble.length)));
  }
  const figure = (name, value, unit) => {
    const td = element('td', { className: 'number', role: 'cell' }, value);
    td.dataset.name = text(name);
    if (unit) td.append(' ', element('span', { className: 'unit' }, unit));
    return td;
  };
  const name = element('th', { className: 'name', role: 'rowheader', scope: 'row' }, a.name);
  return element('tr', { role: 'row' }, name, element('td', { role: 'cell' }, a.preset || a.provider), state,
    figure('colFlying', number.format(a.in_flight)),
    figure('colServed', number.format(a.served)),
    a.first_ms ? figure('colFirst', number.format(a.first_ms), text('milliseconds')) : figure('colFirst', '–'));
}

// load shows what there is, or why that cannot be told. It throws Refused if
// the token does not hold.
async function load() {
  $('refresh').disabled = true;
  const late = setTimeout(() => { say('sentence', text('loading')); }, 200);
  try {
    const { items } = await ask('/api/accounts');
    $('accounts').replaceChildren(...items.map(row));
    $('accounts-box').hidden = items.length === 0;
    $('empty').hidden = items.length > 0;
    say('load-error', '');
    say('sentence', items.length > 0 ? summary(items) : text('none'));
    return true;
  } catch (error) {
    if (error instanceof Refused) throw error;
    say('sentence', '');
    say('load-error', error.message);
    return false;
  } finally {
    clearTimeout(late);
    $('refresh').disabled = false;
  }
}

let timer = 0;

function lock(why = '') {
  token = '';
  clearInterval(timer);
  $('accounts').replaceChildren();
  $('open').hidden = true;
  $('unlock').hidden = false;
  $('unlock-error').textContent = why;
  $('token').value = '';
  $('token').focus();
}

// again loads, and locks if the token does not hold any more.
function again() {
  load().catch((error) => lock(error.message));
}

$('unlock').addEventListener('submit', async (event) => {
  event.preventDefault();
  token = $('token').value.trim();
  const button = event.target.querySelector('button');
  button.disabled = true;
  $('unlock-error').textContent = '';
  try {
    await load();
  } catch (error) {
    token = '';
    $('unlock-error').textContent = error.message;
    $('token').setAttribute('aria-invalid', 'true');
    $('token').select();
    return;
  } finally {
    button.disabled = false;
  }
  $('token').removeAttribute('aria-invalid');
  $('token').value = '';
  $('unlock').hidden = true;
  $('open').hidden = false;
  $('refresh').focus();
  timer = setInterval(() => {
    // A page that nobody sees asks nothing, and a row that somebody is in stays.
    if (!document.hidden && !$('accounts').contains(document.activeElement)) again();
  }, 5000);
});
$('refresh').addEventListener('click', again);
$('lock').addEventListener('click', () => lock());

for (const e of document.querySelectorAll('[data-text]')) e.textContent = text(e.dataset.text);
document.title = 'Portico ' + version;
showDialects();
$('unlock').hidden = false;

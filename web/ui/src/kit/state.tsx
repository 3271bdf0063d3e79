import type { ReactNode } from 'react';
import { useFormat } from '../i18n/format';
import { useNow } from '../lib/hooks';

export type Tone = 'well' | 'wait' | 'need' | 'off';

const marks: Record<Tone, string> = { well: '●', wait: '◐', need: '▲', off: '○' };

/** State is a mark and a word, so that colour never speaks alone. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="state" data-tone={tone}>
      <Mark tone={tone} />
      <span>{children}</span>
    </span>
  );
}

/** Mark is the mark alone, beside words that say the same. */
export function Mark({ tone }: { tone: Tone }) {
  return (
    <span className="mark" data-tone={tone} aria-hidden="true">
      {marks[tone]}
    </span>
  );
}

export function Badge({ tone, children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className="badge" data-tone={tone}>
      {children}
    </span>
  );
}

export type FamilyName = 'openai' | 'anthropic' | 'gemini' | 'local' | 'other';

/** familyOf is the family of a model or of a protocol, by its name. */
export function familyOf(name: string): FamilyName {
  if (/claude|anthropic|bedrock/i.test(name)) return 'anthropic';
  if (/gemini|google|vertex|gemma/i.test(name)) return 'gemini';
  if (/gpt|openai|^o\d|codex|azure|dall-e|whisper/i.test(name)) return 'openai';
  if (/simulator|ollama|llama|local|qwen|mistral/i.test(name)) return 'local';
  return 'other';
}

/** Family is the small square of a family's colour, beside its name. */
export function Family({ of }: { of: string }) {
  return <span className="family" data-family={familyOf(of)} aria-hidden="true" />;
}

/** Countdown is how long it is yet until a moment. It ticks by itself. */
export function Countdown({ until, over }: { until: string; over?: ReactNode }) {
  const f = useFormat();
  const left = Date.parse(until) - useNow();
  if (left <= 0 && over !== undefined) return over;
  return (
    <time className="num" dateTime={until} title={f.full(until)}>
      {f.left(left)}
    </time>
  );
}

/** Ago is how long ago something was; it ticks, too. */
export function Ago({ at }: { at: string }) {
  const f = useFormat();
  return (
    <time className="num" dateTime={at} title={f.full(at)}>
      {f.left(Math.max(0, useNow() - Date.parse(at)))}
    </time>
  );
}

/** Moment is a time, exact when pointed at. */
export function Moment({ at }: { at: string }) {
  const f = useFormat();
  return (
    <time className="num" dateTime={at} title={f.full(at)}>
      {f.time(at)}
    </time>
  );
}

/** Meter is how much is left of something, with its number beside it. */
export function Meter({ share, tone, label }: { share: number; tone: Tone; label: string }) {
  return (
    <span className="meter" role="img" aria-label={label} data-tone={tone}>
      <span style={{ inlineSize: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
    </span>
  );
}

import { Failure } from '../../api/client';
import { useT } from '../../i18n';
import { Field, Input } from '../../kit';
import type { Draft } from './data';

const places: Record<keyof Draft, string> = {
  note: 'note', models: 'models', addresses: 'addresses', hours: 'hours', zone: 'zone', expires: 'expires', rpm: 'rpm', tpm: 'tpm', concurrency: 'concurrency',
  dayUsd: 'day.usd', dayTokens: 'day.tokens', monthUsd: 'month.usd', monthTokens: 'month.tokens',
};

/** wrongAt is what the gateway says of one field of a body, if it says something. */
export function wrongAt(error: unknown, place: string): string | undefined {
  if (!(error instanceof Failure)) return undefined;
  const part = error.parts.find((p) => {
    const at = p.where?.replace(/^body\./, '') ?? '';
    return at === place || at.startsWith(`${place}[`);
  });
  // What the gateway refuses of a key begins with the name of the setting.
  return part?.text ?? (error.message.startsWith(`${place}: `) ? error.message.slice(place.length + 2) : undefined);
}

/** Limits are the fields of what a key may do. What is left empty is not limited. */
export function Limits({ draft, onChange, error }: { draft: Draft; onChange: (d: Draft) => void; error: unknown }) {
  const t = useT('proxy');
  const field = (name: keyof Draft, kind: 'number' | 'date' | 'text', hint?: string, step?: string) => {
    const wrong = wrongAt(error, places[name]);
    return (
      <Field label={t(`field.${name}`)} hint={hint} error={wrong && <span lang="en">{wrong}</span>}>
        <Input
          type={kind}
          min={kind === 'number' ? 0 : undefined}
          step={step}
          value={draft[name]}
          onChange={(e) => onChange({ ...draft, [name]: e.target.value })}
          dir={kind === 'text' && name !== 'note' ? 'ltr' : undefined}
          mono={kind === 'text' && name !== 'note'}
          placeholder={kind === 'number' ? t('field.none') : undefined}
          autoComplete="off"
          spellCheck={false}
        />
      </Field>
    );
  };
  return (
    <>
      <div className="pair">
        {field('rpm', 'number')}
        {field('tpm', 'number')}
        {field('concurrency', 'number')}
        {field('expires', 'date', t('field.expires.hint'))}
      </div>
      <div className="pair">
        {field('dayUsd', 'number', undefined, 'any')}
        {field('dayTokens', 'number')}
        {field('monthUsd', 'number', undefined, 'any')}
        {field('monthTokens', 'number')}
      </div>
      {field('models', 'text', t('field.models.hint'))}
      {field('addresses', 'text', t('field.addresses.hint'))}
      <div className="pair">
        {field('hours', 'text', t('field.hours.hint'))}
        {field('zone', 'text', t('field.zone.hint'))}
      </div>
      {field('note', 'text')}
    </>
  );
}

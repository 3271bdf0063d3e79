import { useId, useState, type KeyboardEvent } from 'react';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Chips, Icon } from '../../kit';
import { fields, parse, terms, written, type Wrong } from './filter';
import type { Search } from './search';

const hint = 'status:>=400  model:claude-*  dur:>5s  tok:>10k  key:ci';

/** Filters that are wanted often. */
const quick = [
  { key: 'quick.failed', to: 'fault', value: 'any' },
  { key: 'quick.limited', to: 'fault', value: 'rate_limited' },
  { key: 'quick.slow', to: 'min_took_ms', value: '5000' },
  { key: 'quick.large', to: 'min_tokens', value: '10000' },
] as const;

/** FilterBar is the one field of the filter, what it says as chips, and what is wanted often. */
export function FilterBar({ s, set }: { s: Search; set: (change: Partial<Search>) => void }) {
  const t = useT('monitor');
  const f = useFormat();
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState<Wrong[]>([]);
  const told = useId();
  const now = terms(s);

  const take = () => {
    const { found, wrong: no } = parse(typed);
    setWrong(no);
    if (Object.keys(found).length > 0) set(found);
    setTyped(no.map((w) => (w.value === undefined ? `${w.name}:` : `${w.name}:${w.value}`)).join(' '));
  };
  const press = (e: KeyboardEvent<HTMLInputElement>) => {
    if (e.nativeEvent.isComposing) return;
    const last = now.at(-1);
    if (e.key === 'Enter') take();
    else if (e.key === 'Backspace' && typed === '' && last) {
      setTyped(written(last));
      set({ [last.to]: undefined });
    } else if (e.key === 'Escape') {
      setTyped('');
      setWrong([]);
      e.currentTarget.blur();
    } else return;
    e.preventDefault();
  };
  const say = (w: Wrong) =>
    w.value === undefined ? t('wrong.name', { name: w.name, names: Object.keys(fields).join(', ') }) : t('wrong.value', { name: w.name, value: w.value, example: w.example ?? '' });

  return (
    <div className="monitor-filter">
      <div className="filter-field" data-invalid={wrong.length > 0 || undefined}>
        <Icon name="filter" />
        <input
          data-filter
          className="mono"
          type="text"
          dir="ltr"
          value={typed}
          placeholder={hint}
          aria-label={t('filter')}
          aria-invalid={wrong.length > 0}
          aria-describedby={wrong.length > 0 ? told : undefined}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          enterKeyHint="search"
          onChange={(e) => {
            setTyped(e.target.value);
            setWrong([]);
          }}
          onKeyDown={press}
          onBlur={() => typed.trim() !== '' && wrong.length === 0 && take()}
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      {wrong.length > 0 && (
        <p id={told} className="field-error" role="alert">
          {wrong.map(say).join(' ')}
        </p>
      )}
      <div className="filter-bar">
        <Chips
          chips={now.map((x) => ({ name: x.name, value: x.value, remove: () => set({ [x.to]: undefined }) }))}
          onClear={() => set(Object.fromEntries(now.map((x) => [x.to, undefined])))}
        />
        {quick
          .filter((q) => s[q.to] === undefined)
          .map((q) => (
            <button key={q.key} type="button" className="quick" onClick={() => set({ [q.to]: q.value })}>
              {t(q.key, { span: f.span(5000), tokens: f.exact(10_000) })}
            </button>
          ))}
      </div>
    </div>
  );
}

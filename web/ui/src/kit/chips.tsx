import { useT } from '../i18n';
import { Icon } from './icon';

/** Chip is a filter that holds. */
export interface Chip {
  name: string;
  value: string;
  remove: () => void;
}

/** Chips show which filters hold, each with its way out. */
export function Chips({ chips, onClear }: { chips: Chip[]; onClear?: () => void }) {
  const t = useT('kit');
  if (chips.length === 0) return null;
  return (
    <ul className="chips" aria-label={t('filters')}>
      {chips.map((c) => (
        <li key={c.name} className="chip">
          <span className="quiet">{c.name}</span>
          <span className="mono">{c.value}</span>
          <button type="button" aria-label={t('filter.remove', { name: c.name })} onClick={c.remove}>
            <Icon name="close" />
          </button>
        </li>
      ))}
      {onClear && chips.length > 1 && (
        <li>
          <button type="button" className="button" data-look="quiet" onClick={onClear}>
            {t('filters.clear')}
          </button>
        </li>
      )}
    </ul>
  );
}

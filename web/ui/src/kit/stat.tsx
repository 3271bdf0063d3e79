import type { ReactNode } from 'react';
import { Sparkline } from './chart';

interface Props {
  label: string;
  value: ReactNode;
  /** The exact number, when pointed at. */
  exact?: string;
  note?: ReactNode;
  values?: number[];
  /** It is the one that a chart below shows. */
  chosen?: boolean;
  onChoose?: () => void;
}

/** Stat is one number of a strip of them. */
export function Stat({ label, value, exact, note, values, chosen, onChoose }: Props) {
  const body = (
    <>
      <span className="stat-label">{label}</span>
      <span className="stat-value num" title={exact}>
        {value}
      </span>
      <span className="stat-note num">{note}</span>
      {values && <Sparkline values={values} color={chosen ? '--accent' : '--n8'} />}
    </>
  );
  if (!onChoose) return <div className="stat">{body}</div>;
  return (
    <button type="button" className="stat" aria-pressed={chosen} onClick={onChoose}>
      {body}
    </button>
  );
}

/** Stats is a strip of numbers that belong together. */
export function Stats({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="stats" role="group" aria-label={label}>
      {children}
    </div>
  );
}

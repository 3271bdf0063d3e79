import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { Account } from '../../api/client';
import { useT } from '../../i18n';
import { Family } from '../../kit';
import { vendorOf } from './data';
import { Health, Quotas, Tags } from './parts';

interface Props {
  rows: readonly Account[];
  opened?: string;
  onOpen: (a: Account) => void;
  chosen: ReadonlySet<string>;
  mark: (name: string) => void;
}

const high = 132;

/** Cards show the same as the table, for who looks rather than compares. Only those in sight are in the document. */
export function Cards({ rows, opened, onOpen, chosen, mark }: Props) {
  const t = useT('accounts');
  const box = useRef<HTMLDivElement>(null);
  const [lanes, setLanes] = useState(1);
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const watch = new ResizeObserver(() => setLanes(Math.max(1, Math.floor(el.clientWidth / 300))));
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  const lines = Math.ceil(rows.length / lanes);
  const virtual = useVirtualizer({ count: lines, getScrollElement: () => box.current, estimateSize: () => high, overscan: 3, useFlushSync: false });
  return (
    <div ref={box} className="cards" role="list" aria-label={t('accounts')} tabIndex={0}>
      <div role="presentation" style={{ blockSize: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((v) => (
          <div key={v.index} role="presentation" className="cards-line" style={{ position: 'absolute', insetInline: 0, top: v.start, gridTemplateColumns: `repeat(${lanes}, minmax(0, 1fr))` }}>
            {rows.slice(v.index * lanes, (v.index + 1) * lanes).map((a) => (
              <div key={a.name} role="listitem" className="card" data-open={a.name === opened || undefined}>
                <header>
                  <input type="checkbox" className="tick" aria-label={t('mark', { account: a.name })} checked={chosen.has(a.name)} onChange={() => mark(a.name)} />
                  <button type="button" className="card-name clip" onClick={() => onOpen(a)}>
                    <Family of={`${a.provider} ${a.preset ?? ''}`} /> {a.name}
                  </button>
                  <span className="quiet mono clip">{vendorOf(a)}</span>
                </header>
                <p className="clip">
                  <Health a={a} />
                </p>
                <Quotas a={a} />
                <p className="clip card-tags">
                  {a.label && <span className="quiet">{a.label}</span>} <Tags a={a} />
                </p>
              </div>
            ))}
          </div>
        ))}
      </div>
    </div>
  );
}

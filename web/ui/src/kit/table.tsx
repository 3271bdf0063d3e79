// The table: rows of one height, only those in sight in the document, however
// many there are. By keyboard: j k or arrows, Home, End, Enter, Esc. On a narrow
// screen each row is a card.
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useT } from '../i18n';
import { narrow, useMedia } from '../lib/hooks';
import { prefer, usePrefs } from '../lib/prefs';
import { IconButton } from './button';
import { Icon } from './icon';
import { Menu } from './menu';

export interface Column<R> {
  key: string;
  head: string;
  cell: (row: R) => ReactNode;
  /** A grid track, such as "minmax(120px, 2fr)" or "88px"; 1fr if absent. */
  width?: string;
  num?: boolean; // aligned to the end, in tabular figures
  sort?: (row: R) => string | number;
  /** The head is for readers only; what stands below it needs none. */
  bare?: boolean;
  /** Not shown until somebody chooses it. */
  extra?: boolean;
  /** Always shown: nobody can put it away. */
  fixed?: boolean;
  /** In a card: the first line, or left out. */
  card?: 'title' | 'none';
}

export interface Sort {
  by: string;
  down: boolean;
}

interface Props<R> {
  /** Names the table in the preferences: shown columns are kept. */
  id: string;
  label: string;
  rows: readonly R[];
  columns: Column<R>[];
  rowKey: (row: R) => string;
  /** Enter or a click on a row. */
  onOpen?: (row: R) => void;
  /** Space or x on a row, where rows can be marked. */
  onMark?: (row: R) => void;
  /** The row whose drawer is open. */
  opened?: string;
  /** How the rows are sorted; absent: as they come, and heads cannot be clicked. */
  sort?: Sort;
  onSort?: (sort: Sort | undefined) => void;
  /** CSS height of the scrolled part; absent: as high as its rows, which are then few. */
  height?: string;
  /** Called when the end comes near, to load more. */
  onEnd?: () => void;
  empty?: ReactNode;
}

/** sortRows puts rows in order of one of their columns. */
export function sortRows<R>(rows: readonly R[], columns: Column<R>[], sort: Sort | undefined): readonly R[] {
  const value = columns.find((c) => c.key === sort?.by)?.sort;
  if (!sort || !value) return rows;
  const sign = sort.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = value(a);
    const y = value(b);
    return sign * (typeof x === 'string' || typeof y === 'string' ? String(x).localeCompare(String(y)) : x - y);
  });
}

/** useColumns is which columns of a table are shown, and a menu to choose them. */
export function useColumns<R>(id: string, columns: Column<R>[]): { shown: Column<R>[]; chooser: ReactNode } {
  const t = useT('kit');
  const chosen = usePrefs().columns?.[id];
  const is = (c: Column<R>) => c.fixed || (chosen ? chosen.includes(c.key) : !c.extra);
  const shown = columns.filter(is);
  const all = usePrefs().columns;
  const chooser = (
    <Menu
      trigger={<IconButton icon="columns" label={t('columns')} />}
      entries={[
        { head: t('columns') },
        ...columns
          .filter((c) => !c.fixed)
          .map((c) => ({
            label: c.head,
            checked: is(c),
            set: (on: boolean) =>
              prefer({ columns: { ...all, [id]: columns.filter((x) => (x.key === c.key ? on : is(x))).map((x) => x.key) } }),
          })),
      ]}
    />
  );
  return { shown, chooser };
}

export function Table<R>({ id, label, rows, columns, rowKey, onOpen, onMark, opened, sort, onSort, height, onEnd, empty }: Props<R>) {
  const cards = useMedia(narrow);
  const { shown } = useColumns(id, columns);
  const sorted = useMemo(() => sortRows(rows, columns, sort), [rows, columns, sort]);
  const [at, setAt] = useState<string>();
  const index = sorted.findIndex((r) => rowKey(r) === at);
  const scroller = useRef<HTMLDivElement>(null);
  const name = useId();
  const tracks = shown.map((c) => c.width ?? 'minmax(0, 1fr)').join(' ');

  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (cards ? 92 : rowHeight()),
    overscan: 8,
    enabled: height !== undefined,
    getItemKey: (i) => rowKey(sorted[i] as R),
    useFlushSync: false,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (onEnd && last >= 0 && last >= sorted.length - 20) onEnd();
  }, [onEnd, last, sorted.length]);

  const go = (to: number) => {
    const i = Math.max(0, Math.min(sorted.length - 1, to));
    const row = sorted[i];
    if (row === undefined) return;
    setAt(rowKey(row));
    if (height !== undefined) virtual.scrollToIndex(i);
  };
  const press = (e: KeyboardEvent) => {
    if (e.target !== e.currentTarget || e.metaKey || e.ctrlKey || e.altKey) return;
    const page = Math.max(1, items.length - 10);
    const to = { ArrowDown: index + 1, j: index + 1, ArrowUp: index - 1, k: index - 1, Home: 0, End: sorted.length - 1, PageDown: index + page, PageUp: index - page }[e.key];
    const row = sorted[index];
    if (to !== undefined) go(index < 0 ? 0 : to);
    else if (e.key === 'Enter' && row !== undefined) onOpen?.(row);
    else if ((e.key === ' ' || e.key === 'x') && row !== undefined && onMark) onMark(row);
    else if (e.key === 'Escape' && at !== undefined) setAt(undefined);
    else return;
    e.preventDefault();
  };

  const line = (row: R, i: number, start?: number, measure?: (el: Element | null) => void) => {
    const key = rowKey(row);
    return (
      // The grid has the keys of its rows: it is where the focus is.
      <div
        key={key}
        id={`${name}-${key}`}
        ref={measure}
        data-index={i}
        role="row"
        aria-rowindex={i + 2}
        aria-selected={key === at}
        className="tr"
        data-open={key === opened || undefined}
        data-acts={onOpen ? true : undefined}
        style={{ ...(cards ? {} : { gridTemplateColumns: tracks }), ...(start === undefined ? {} : { position: 'absolute', insetInline: 0, top: start }) }}
        onClick={(e) => {
          if ((e.target as Element).closest('a, button, input, [role=menu]')) return;
          setAt(key);
          onOpen?.(row);
        }}
      >
        {shown
          .filter((c) => !cards || c.card !== 'none')
          .map((c) => (
            <div key={c.key} role="gridcell" className="td" data-num={c.num || undefined} data-title={c.card === 'title' || undefined}>
              {cards && c.card !== 'title' && !c.bare && <span className="td-head">{c.head}</span>}
              <span className="td-cell">{c.cell(row)}</span>
            </div>
          ))}
      </div>
    );
  };

  return (
    <div className="table" data-cards={cards || undefined}>
      <div
        ref={scroller}
        className="table-body"
        style={height === undefined ? undefined : { maxBlockSize: height }}
        role="grid"
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        aria-activedescendant={index < 0 ? undefined : `${name}-${at}`}
        tabIndex={0}
        onKeyDown={press}
      >
        <div className="tr th-row" role="row" aria-rowindex={1} style={cards ? undefined : { gridTemplateColumns: tracks }}>
          {shown.map((c) => {
            const by = sort?.by === c.key;
            return (
              <div key={c.key} role="columnheader" className="th" data-num={c.num || undefined} aria-sort={by ? (sort.down ? 'descending' : 'ascending') : undefined}>
                {onSort && c.sort ? (
                  <button type="button" onClick={() => onSort(by ? (sort.down ? undefined : { by: c.key, down: true }) : { by: c.key, down: false })}>
                    {c.head}
                    {by && <Icon name={sort.down ? 'down' : 'up'} />}
                  </button>
                ) : c.bare ? (
                  <span className="hidden">{c.head}</span>
                ) : (
                  c.head
                )}
              </div>
            );
          })}
        </div>
        {height === undefined ? (
          sorted.map((r, i) => line(r, i))
        ) : (
          <div role="presentation" style={{ blockSize: virtual.getTotalSize(), position: 'relative' }}>
            {items.map((v) => line(sorted[v.index] as R, v.index, v.start, cards ? virtual.measureElement : undefined))}
          </div>
        )}
      </div>
      {sorted.length === 0 && empty}
    </div>
  );
}

function rowHeight(): number {
  return parseInt(getComputedStyle(document.documentElement).getPropertyValue('--row'), 10) || 32;
}

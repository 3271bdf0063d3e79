// Lines and bars over time. uPlot is fetched when the first chart is shown.
import { useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';
import { useFormat } from '../i18n/format';
import { useLanguage } from '../i18n';
import { usePrefs } from '../lib/prefs';

export interface Series {
  label: string;
  /** The name of a token, such as "--accent". */
  color: string;
  values: (number | null)[];
  /** What the legend says, where values stand on those of other series. */
  told?: (number | null)[];
  look?: 'line' | 'bars';
}

interface Props {
  label: string; // what the chart shows, for who cannot see it
  /** Unix seconds. */
  times: number[];
  series: Series[];
  format: (n: number) => string;
  height?: number;
  /** A drag over the chart: the chosen window, in Unix seconds. */
  onSelect?: (from: number, to: number) => void;
  /** A click: the moment, in Unix seconds. */
  onPick?: (at: number) => void;
}

export function Chart({ label, times, series, format, height = 180, onSelect, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const f = useFormat();
  const lang = useLanguage();
  const { theme, contrast } = usePrefs();
  const [at, setAt] = useState<number>();
  const acts = useRef({ onSelect, onPick });
  acts.current = { onSelect, onPick };
  const shape = series.map((s) => s.label + s.color + s.look).join();

  useEffect(() => {
    let gone = false;
    let watch: ResizeObserver | undefined;
    void Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: UPlot }]) => {
      const el = box.current;
      if (gone || !el) return;
      const style = getComputedStyle(document.documentElement);
      const token = (name: string) => style.getPropertyValue(name).trim();
      const font = `11px ${token('--font')}`;
      const bars = UPlot.paths.bars?.({ size: [0.7, 24], align: 1 });
      const axis = { stroke: token('--n10'), font, ticks: { show: false }, grid: { stroke: token('--n4'), width: 1 } };
      plot.current = new UPlot(
        {
          width: el.clientWidth,
          height,
          legend: { show: false },
          cursor: { y: false, points: { size: 6 }, drag: { x: !!acts.current.onSelect, y: false, setScale: false } },
          // Bars go from a moment to the next, so that the last one needs room.
          scales: { x: { time: true, range: (u, lo, hi) => [lo, hi + ((u.data[0][1] ?? 0) - (u.data[0][0] ?? 0))] }, y: { range: (_u, _lo, hi) => [0, hi > 0 ? hi * 1.1 : 1] } },
          axes: [
            { ...axis, grid: { show: false }, size: 26, space: 64, values: (_u, ticks) => ticks.map((s, i) => tick(lang, s, ticks[1] ? ticks[1] - (ticks[0] ?? 0) : 60, i)) },
            { ...axis, size: 52, space: 36, values: (_u, ticks) => ticks.map((n, i) => (i > 0 && format(n) === format(ticks[i - 1] ?? 0) ? '' : format(n))) },
          ],
          series: [
            {},
            ...series.map((s) => ({
              label: s.label,
              stroke: token(s.color),
              fill: s.look === 'bars' ? token(s.color) : undefined,
              width: s.look === 'bars' ? 0 : 1.5,
              paths: s.look === 'bars' ? bars : undefined,
              points: { show: false },
            })),
          ],
          hooks: {
            setCursor: [(u) => setAt(u.cursor.idx ?? undefined)],
            setSelect: [
              (u) => {
                const { left, width } = u.select;
                if (width > 4) acts.current.onSelect?.(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'));
                u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
              },
            ],
          },
        },
        [times, ...series.map((s) => s.values)],
        el,
      );
      plot.current.over.addEventListener('click', () => {
        const u = plot.current;
        const i = u?.cursor.idx;
        if (u && typeof i === 'number' && u.select.width === 0) acts.current.onPick?.(u.data[0][i] ?? 0);
      });
      watch = new ResizeObserver(() => plot.current?.setSize({ width: el.clientWidth, height }));
      watch.observe(el);
    });
    return () => {
      gone = true;
      watch?.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
    // The data alone is set below, without a new chart.
  }, [shape, height, lang, theme, contrast, format]);

  useEffect(() => {
    plot.current?.setData([times, ...series.map((s) => s.values)]);
  }, [times, series]);

  return (
    <figure className="chart">
      <figcaption className="chart-legend">
        {series.map((s) => (
          <span key={s.label} className="chart-label">
            <span className="chart-swatch" style={{ background: `var(${s.color})` }} />
            {s.label}
            {at !== undefined && (s.told ?? s.values)[at] != null && <b className="num">{format((s.told ?? s.values)[at] ?? 0)}</b>}
          </span>
        ))}
        <span className="quiet num">{at !== undefined && times[at] !== undefined ? f.time(times[at] * 1000) : ''}</span>
      </figcaption>
      <div ref={box} role="img" aria-label={label} dir="ltr" style={{ blockSize: height }} />
    </figure>
  );
}

/** tick writes a moment as short as the distance of ticks permits. */
function tick(lang: string, seconds: number, step: number, i: number): string {
  const d = new Date(seconds * 1000);
  const midnight = d.getHours() === 0 && d.getMinutes() === 0;
  const o: Intl.DateTimeFormatOptions = step >= 86_400 || (midnight && i > 0) ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return new Intl.DateTimeFormat(lang, o).format(d);
}

/** Sparkline is the shape of a few numbers, without axes; what it shows stands beside it. */
export function Sparkline({ values, color = '--n8' }: { values: number[]; color?: string }) {
  const top = Math.max(...values, 0);
  if (values.length < 2 || top === 0) return <svg className="sparkline" aria-hidden="true" />;
  const points = values.map((v, i) => `${((i / (values.length - 1)) * 100).toFixed(1)},${(23 - (v / top) * 22).toFixed(1)}`);
  return (
    <svg className="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} fill="none" stroke={`var(${color})`} strokeWidth="1.25" vectorEffect="non-scaling-stroke" />
    </svg>
  );
}

// The icons: 16 px, one line of 1.5 px. Those that point somewhere are mirrored
// where one reads from right to left.
const shapes = {
  dashboard: 'M2.5 9.5a5.5 5.5 0 1 1 11 0M8 9.5l2.5-3M2.500 12.5h11',
  accounts: 'M2.5 4.5 8 2l5.500 2.500L8 7zM2.500 8 8 10.500 13.500 8M2.500 11.500 8 14l5.500-2.500',
  proxy: 'M2 5h5a2 2 0 0 1 2 2v2a2 2 0 0 0 2 2h3M11.500 8.500 14 11l-2.500 2.500M2 11h3M10 5h4',
  monitor: 'M2 4h12M2 8h8M2 12h5M12.500 9.500v4M10.500 11.500h4',
  stats: 'M2.500 13.500h11M4 11V7.500M8 11V3M12 11V5.500',
  security: 'M8 1.800 13 4v4c0 3-2 5.200-5 6.300C5 13.200 3 11 3 8V4z',
  settings: 'M2 5h7M12.500 5H14M2 11h1.500M7 11h7M10.700 6.700a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400M5.300 12.700a1.700 1.700 0 1 0 0-3.400 1.700 1.700 0 0 0 0 3.400',
  search: 'M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9M10.500 10.500 14 14',
  light: 'M8 10.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5M8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1.100 1.100M11.500 11.500l1.100 1.100M3.400 12.600l1.100-1.100M11.500 4.500l1.100-1.100',
  globe: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M2 8h12M8 2c4 4 4 8 0 12M8 2C4 6 4 10 8 14',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.500 6.500 12 13 4.500',
  copy: 'M5.500 5.500h7.500v8h-7.500zM3 10.500v-8h7.500',
  plus: 'M8 3v10M3 8h10',
  more: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  down: 'M4 6l4 4 4-4',
  up: 'M4 10l4-4 4 4',
  next: 'M6 4l4 4-4 4',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M5 3l7.500 5L5 13z',
  columns: 'M2.500 3h11v10h-11zM6.200 3v10M9.800 3v10',
  refresh: 'M13 3.500v3h-3M12.700 6.500A5 5 0 1 0 13 9',
  warning: 'M8 2.500 14 13H2zM8 6.500v3M8 11.300v.01',
  external: 'M9 3h4v4M13 3 7.500 8.500M11 9v4H3V5h4',
  download: 'M8 2.500v8M4.500 7.500 8 11l3.500-3.500M3 13.500h10',
  trash: 'M3 4.500h10M6 4.500V3h4v1.500M4.500 4.500l.5 9h6l.5-9',
  key: 'M10.500 9a3.500 3.500 0 1 0-3.300-2.300L2 12v2h2.500v-1.500H6V11h1.500l1.300-2.200c.5.100 1.100.200 1.700.200M11 5h.01',
  rail: 'M2.500 3h11v10h-11zM6 3v10',
  leave: 'M9 3H3v10h6M7 8h7M11.500 5.500 14 8l-2.500 2.500',
  keyboard: 'M1.500 4h13v8h-13zM4 6.500h.01M6.700 6.500h.01M9.300 6.500h.01M12 6.500h.01M5 9.500h6',
  filter: 'M2 3.500h12M4.500 8h7M7 12.500h2',
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, flip }: { name: IconName; flip?: boolean }) {
  return (
    <svg className="icon" data-flip={flip || undefined} viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={shapes[name]} />
    </svg>
  );
}

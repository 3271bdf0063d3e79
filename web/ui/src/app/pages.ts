import type { Part } from '../i18n';
import type { IconName } from '../kit';

/** The pages, in the order of the rail. web/embed.go serves each path, and router.tsx says what is there. */
export const pages = [
  { path: '/', part: 'dashboard', icon: 'dashboard' },
  { path: '/accounts', part: 'accounts', icon: 'accounts' },
  { path: '/proxy', part: 'proxy', icon: 'proxy' },
  { path: '/monitor', part: 'monitor', icon: 'monitor' },
  { path: '/stats', part: 'stats', icon: 'stats' },
  { path: '/security', part: 'security', icon: 'security' },
  { path: '/settings', part: 'settings', icon: 'settings' },
] as const satisfies readonly { path: string; part: Part; icon: IconName }[];

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { loadMessages } from '../i18n';
import { ErrorState, Skeleton } from '../kit';
import { search as accounts } from '../pages/accounts/search';
import { search as dashboard } from '../pages/dashboard/search';
import { search as monitor } from '../pages/monitor/search';
import { search as proxy } from '../pages/proxy/search';
import { search as security } from '../pages/security/search';
import { search as settings } from '../pages/settings/search';
import { search as stats } from '../pages/stats/search';
import { NotFound } from './notfound';
import { Shell } from './shell';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });
const getParentRoute = () => root;

// A page is fetched with its messages when it is first looked at.
const tree = root.addChildren({
  dashboard: createRoute({ getParentRoute, path: '/', validateSearch: dashboard, loader: () => loadMessages('dashboard'), component: lazyRouteComponent(() => import('../pages/dashboard')) }),
  accounts: createRoute({ getParentRoute, path: '/accounts', validateSearch: accounts, loader: () => loadMessages('accounts'), component: lazyRouteComponent(() => import('../pages/accounts')) }),
  proxy: createRoute({ getParentRoute, path: '/proxy', validateSearch: proxy, loader: () => loadMessages('proxy'), component: lazyRouteComponent(() => import('../pages/proxy')) }),
  monitor: createRoute({ getParentRoute, path: '/monitor', validateSearch: monitor, loader: () => loadMessages('monitor'), component: lazyRouteComponent(() => import('../pages/monitor')) }),
  stats: createRoute({ getParentRoute, path: '/stats', validateSearch: stats, loader: () => loadMessages('stats'), component: lazyRouteComponent(() => import('../pages/stats')) }),
  security: createRoute({ getParentRoute, path: '/security', validateSearch: security, loader: () => loadMessages('security'), component: lazyRouteComponent(() => import('../pages/security')) }),
  settings: createRoute({ getParentRoute, path: '/settings', validateSearch: settings, loader: () => loadMessages('settings'), component: lazyRouteComponent(() => import('../pages/settings')) }),
});

export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: Number.POSITIVE_INFINITY,
  scrollRestoration: true,
  defaultPendingComponent: () => (
    <div className="page">
      <Skeleton rows={8} />
    </div>
  ),
  defaultErrorComponent: ({ error, reset }) => (
    <div className="page">
      <ErrorState error={error} retry={reset} />
    </div>
  ),
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

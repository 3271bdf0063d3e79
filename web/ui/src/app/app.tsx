import { CSPProvider } from '@base-ui/react/csp-provider';
import { DirectionProvider } from '@base-ui/react/direction-provider';
import { Tooltip } from '@base-ui/react/tooltip';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { Component, useEffect, type ReactNode } from 'react';
import { api, ask } from '../api/client';
import { client, status } from '../api/queries';
import { become, launchCode, useSession } from '../api/session';
import { useLanguage } from '../i18n';
import { ErrorState } from '../kit';
import { Toasts } from '../kit/toast';
import { router } from './router';
import { SignIn } from './signin';

/** Boundary shows what broke the page, in its place. */
class Boundary extends Component<{ children: ReactNode }, { error?: unknown }> {
  state: { error?: unknown } = {};
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <main className="page">
        <ErrorState error={this.state.error} retry={() => location.reload()} />
      </main>
    );
  }
}

/** begin opens a session with the code of a link, or finds the one that there is. */
async function begin() {
  const launch = launchCode();
  try {
    if (launch) await ask(api.POST('/api/session', { body: { launch } }));
    client.setQueryData(status.queryKey, await ask(api.GET('/api/status')));
    become('in');
  } catch {
    become('out'); // what failed is told when one signs in
  }
}

function Entrance() {
  const session = useSession();
  useEffect(() => {
    if (session !== 'asking') return;
    void begin();
  }, [session]);
  if (session === 'asking') return null;
  return session === 'out' ? <SignIn /> : <RouterProvider router={router} />;
}

export function App() {
  const lang = useLanguage();
  return (
    <Boundary>
      <CSPProvider disableStyleElements>
        <DirectionProvider direction={lang === 'ar' ? 'rtl' : 'ltr'}>
          <QueryClientProvider client={client}>
            <Tooltip.Provider delay={400}>
              <Toasts>
                <Entrance />
              </Toasts>
            </Tooltip.Provider>
          </QueryClientProvider>
        </DirectionProvider>
      </CSPProvider>
    </Boundary>
  );
}

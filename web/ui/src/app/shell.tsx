import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { Failure, api, ask } from '../api/client';
import { client, status } from '../api/queries';
import { become } from '../api/session';
import { currentLanguage, languages, speak, useT } from '../i18n';
import { Button, Icon, IconButton, Menu, notify } from '../kit';
import { copy } from '../lib/copy';
import { useKeys } from '../lib/hooks';
import { prefer, usePrefs } from '../lib/prefs';
import { useCommands } from './commands';
import { Shortcuts } from './keys';
import { pages } from './pages';
import { Palette } from './palette';
import { Pill } from './pill';

/** leaveNow ends the session, and forgets all that was shown. */
async function leaveNow() {
  await ask(api.DELETE('/api/session')).catch(() => undefined); // one that is over is over
  become('out');
  client.clear();
}

export function Shell() {
  const t = useT('shell');
  const p = usePrefs();
  const navigate = useNavigate();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const [palette, setPalette] = useState(false);
  const [keys, setKeys] = useState(false);
  const goes = useRef(0); // when g was pressed
  const here = pages.find((x) => x.path === path);

  useEffect(() => {
    document.title = here ? `${t(`nav.${here.part}`)} · Portico` : 'Portico';
  }, [here, t]);

  useKeys({
    'mod+k': () => setPalette((o) => !o),
    '?': () => setKeys(true),
    '/': () => document.querySelector<HTMLElement>('main [data-filter]')?.focus(),
    j: () => document.querySelector<HTMLElement>('main [role=grid]')?.focus(),
    g: () => {
      goes.current = Date.now();
    },
    ...Object.fromEntries(
      pages.map((x, i) => [
        String(i + 1),
        () => {
          if (Date.now() - goes.current < 1500) void navigate({ to: x.path });
        },
      ]),
    ),
  });

  const themes = [
    { name: t('theme.system'), theme: undefined },
    { name: t('theme.light'), theme: 'light' },
    { name: t('theme.dark'), theme: 'dark' },
  ] as const;

  useCommands([
    ...pages.map((x) => ({ name: t('palette.go', { page: t(`nav.${x.part}`) }), icon: x.icon, run: () => void navigate({ to: x.path }) })),
    ...themes.map((x) => ({ name: t('palette.theme', { theme: x.name }), icon: 'light' as const, run: () => prefer({ theme: x.theme }) })),
    ...Object.entries(languages).map(([code, name]) => ({ name: t('palette.language', { language: name }), note: code, icon: 'globe' as const, run: () => void speak(code) })),
    {
      name: t('palette.copy'),
      note: `${location.origin}/v1`,
      icon: 'copy',
      run: () => void copy(`${location.origin}/v1`).then((ok) => notify({ title: ok ? t('copied') : t('copy.failed') })),
    },
    { name: t('keys'), icon: 'keyboard', note: '?', run: () => setKeys(true) },
    { name: t('leave'), icon: 'leave', run: () => void leaveNow() },
  ]);

  return (
    <div className="shell" data-rail={p.rail}>
      <a className="skip" href="#main">
        {t('skip')}
      </a>
      <nav className="rail" aria-label={t('nav')}>
        <Link to="/" className="brand" aria-label={`Portico: ${t('nav.dashboard')}`}>
          <span className="brand-mark" aria-hidden="true" />
          <span className="rail-word">Portico</span>
        </Link>
        <ul>
          {pages.map((x) => (
            <li key={x.path}>
              <Link to={x.path} className="rail-link" activeOptions={{ exact: true, includeSearch: false }} activeProps={{ 'aria-current': 'page' }} title={p.rail ? t(`nav.${x.part}`) : undefined}>
                <Icon name={x.icon} />
                <span className="rail-word">{t(`nav.${x.part}`)}</span>
              </Link>
            </li>
          ))}
        </ul>
        <div className="rail-foot">
          <IconButton icon="rail" label={p.rail ? t('rail.wide') : t('rail.narrow')} pressed={p.rail === 'narrow'} onClick={() => prefer({ rail: p.rail ? undefined : 'narrow' })} />
          <Version />
        </div>
      </nav>
      <header className="bar">
        <div className="bar-state" role="status">
          <Pill />
        </div>
        <div className="bar-acts">
          <button type="button" className="search-button" onClick={() => setPalette(true)}>
            <span className="hidden">{t('palette')}</span>
            <Icon name="search" />
            <span>{t('palette.short')}</span>
            <kbd>{navigator.platform.startsWith('Mac') ? '⌘K' : 'Ctrl K'}</kbd>
          </button>
          <Menu
            trigger={<IconButton icon="globe" label={t('language')} />}
            entries={Object.entries(languages).map(([code, name]) => ({ label: <span lang={code}>{name}</span>, icon: code === currentLanguage() ? 'check' : undefined, run: () => void speak(code) }))}
          />
          <Menu
            trigger={<IconButton icon="light" label={t('theme')} />}
            entries={[
              ...themes.map((x) => ({ label: x.name, icon: p.theme === x.theme ? ('check' as const) : undefined, run: () => prefer({ theme: x.theme }) })),
              'line',
              { label: t('theme.contrast'), checked: p.contrast === 'more', set: (on) => prefer({ contrast: on ? 'more' : undefined }) },
              { label: t('theme.compact'), checked: p.density === 'compact', set: (on) => prefer({ density: on ? 'compact' : undefined }) },
            ]}
          />
          <Menu
            trigger={<IconButton icon="more" label={t('more')} />}
            entries={[
              { label: t('keys'), icon: 'keyboard', note: '?', run: () => setKeys(true) },
              { label: t('leave'), icon: 'leave', run: () => void leaveNow() },
            ]}
          />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Silence />
        <Outlet />
      </main>
      <Palette open={palette} onClose={() => setPalette(false)} />
      <Shortcuts open={keys} onClose={() => setKeys(false)} />
    </div>
  );
}

function Version() {
  const s = useQuery(status).data;
  return <span className="rail-word quiet mono clip">{s?.version}</span>;
}

/** Silence says that the gateway does not answer; what was shown stays. */
function Silence() {
  const t = useT('shell');
  const q = useQuery(status);
  if (!(q.error instanceof Failure) || q.error.kind !== 'down') return null;
  return (
    <div className="silence" role="alert">
      <Icon name="warning" />
      <span>
        <b>{t('silent')}</b> {t('silent.do')} <code>portico serve</code>
      </span>
      <Button icon="refresh" busy={q.isFetching} onClick={() => void q.refetch()}>
        {t('silent.retry')}
      </Button>
    </div>
  );
}

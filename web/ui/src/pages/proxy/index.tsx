import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Failure } from '../../api/client';
import { status } from '../../api/queries';
import { useT } from '../../i18n';
import { Button, PageHead, Tabs } from '../../kit';
import { Connect } from './connect';
import { Explain } from './explain';
import { Keys } from './keys';
import { NewKey, type Made } from './made';
import './proxy.css';
import { Routes } from './routes';
import { search, type Tab } from './search';

export default function Proxy() {
  const t = useT('proxy');
  const shell = useT('shell');
  const s = search(useSearch({ strict: false }));
  const navigate = useNavigate();
  const { data: st, error } = useQuery(status);
  // Texts of keys that were made here, until the page is left: nobody can show them again.
  const [made, setMade] = useState<Made[]>([]);
  const keep = (m: Made) => setMade((all) => [m, ...all.filter((x) => x.name !== m.name)]);
  const silent = error instanceof Failure && error.kind === 'down';
  const go = (change: Partial<typeof s>) => void navigate({ to: '/proxy', search: (p) => ({ ...p, ...change }), replace: true });

  const open = st?.lan && st.auth === 'off';
  return (
    <div className="page proxy">
      <PageHead
        title={shell('nav.proxy')}
        tone={silent || open ? 'need' : st ? 'well' : undefined}
        sentence={silent ? shell('silent') : st ? t.rich(`head.${st.lan ? 'lan' : 'local'}.${st.auth === 'off' ? 'off' : 'on'}`, { address: <bdi dir="ltr">{location.origin}</bdi> }) : t('head.asking')}
        acts={
          <Button look="main" icon="plus" onClick={() => go({ tab: 'keys', add: true })}>
            {t('key.add')}
          </Button>
        }
      />
      <Tabs
        label={t('tabs')}
        value={s.tab ?? 'connect'}
        onChange={(v) => go({ tab: v === 'connect' ? undefined : (v as Tab) })}
        tabs={[
          { value: 'connect', label: t('tab.connect'), body: <Connect s={s} made={made} /> },
          {
            value: 'models',
            label: t('tab.models'),
            body: (
              <div className="parts">
                <Explain s={s} />
                <Routes />
              </div>
            ),
          },
          { value: 'keys', label: t('tab.keys'), body: <Keys s={s} onMade={keep} /> },
        ]}
      />
      <NewKey
        open={!!s.add}
        onClose={() => go({ add: undefined })}
        onMade={keep}
        onConnect={() => go({ add: undefined, tab: undefined })}
      />
    </div>
  );
}

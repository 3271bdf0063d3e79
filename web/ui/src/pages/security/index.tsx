import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { Status } from '../../api/client';
import { checks, status } from '../../api/queries';
import { useT } from '../../i18n';
import { Copyable, Loaded, PageHead, Section, State, Tabs, type Tone } from '../../kit';
import { Checks } from './checks';
import { Acts, Refused } from './logs';
import { Rules } from './rules';
import { search, tabs, type Tab } from './search';
import './security.css';
import { Sessions } from './sessions';

export default function Security() {
  const t = useT('security');
  const s = search(useSearch({ strict: false }));
  const navigate = useNavigate();
  const bodies = { checks: <Checks />, sessions: <Sessions />, rules: <Rules s={s} />, refused: <Refused s={s} />, acts: <Acts s={s} /> };
  return (
    <div className="page security">
      <Head />
      <Section id="exposure" title={t('exposure')}>
        <Loaded query={useQuery(status)} rows={2}>
          {(st) => <Exposure st={st} />}
        </Loaded>
      </Section>
      <Tabs
        label={t('tabs')}
        value={s.tab ?? 'checks'}
        // What filters one list means nothing to another.
        onChange={(v) => void navigate({ to: '/security', search: { tab: v === 'checks' ? undefined : (v as Tab) } })}
        tabs={tabs.map((v) => ({ value: v, label: t(`tab.${v}`), body: v === (s.tab ?? 'checks') ? bodies[v] : null }))}
      />
    </div>
  );
}

function Head() {
  const t = useT('security');
  const shell = useT('shell');
  const { data } = useQuery(checks);
  const n = (state: string) => (data ?? []).filter((c) => c.state === state).length;
  let tone: Tone | undefined;
  let sentence = t('verdict.asking');
  if (data) {
    tone = n('fail') > 0 ? 'need' : n('warn') > 0 ? 'wait' : 'well';
    sentence = n('fail') > 0 ? t('verdict.fail', { n: n('fail'), of: data.length }) : n('warn') > 0 ? t('verdict.warn', { n: n('warn'), of: data.length }) : t('verdict.ok', { n: data.length });
  }
  return <PageHead title={shell('nav.security')} tone={tone} sentence={sentence} />;
}

/** Exposure is who can reach the gateway, and where its secrets lie. */
function Exposure({ st }: { st: Status }) {
  const t = useT('security');
  const open = st.auth === 'off';
  return (
    <dl className="facts">
      <div>
        <dt>{t('exposure.address')}</dt>
        <dd>
          <Copyable text={st.address} />
        </dd>
      </div>
      <div>
        <dt>{t('exposure.reach')}</dt>
        <dd>
          <State tone={st.lan ? 'wait' : 'well'}>{st.lan ? t('exposure.lan') : t('exposure.local')}</State>
        </dd>
      </div>
      <div>
        <dt>{t('exposure.clients')}</dt>
        <dd>
          <State tone={!open ? 'well' : st.lan ? 'need' : 'off'}>{t(`auth.${st.auth}`)}</State>
        </dd>
      </div>
      {st.secrets && (
        <div>
          <dt>{t('exposure.secrets')}</dt>
          <dd>
            <State tone={st.secrets.why ? 'wait' : st.secrets.store === 'none' ? 'off' : 'well'}>{t(`secrets.${st.secrets.store}`)}</State>
            {st.secrets.store !== 'none' && (
              <code className="clip fact-note" title={st.secrets.path}>
                {st.secrets.path}
              </code>
            )}
            {st.secrets.why && (
              <p className="quiet" dir="auto">
                {st.secrets.why}
              </p>
            )}
          </dd>
        </div>
      )}
    </dl>
  );
}

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ask } from '../../api/client';
import { become } from '../../api/session';
import { useT } from '../../i18n';
import { Ago, Badge, Button, Countdown, EmptyState, Loaded, Moment, Section, Table, notify, type Column } from '../../kit';
import { Ask } from './ask';
import { browserOf, sessions, type Session } from './data';
import { Password } from './password';

/** Sessions are the browsers that are signed in, and the password that lets them in. */
export function Sessions() {
  const t = useT('security');
  const queries = useQueryClient();
  const [ending, setEnding] = useState<Session | 'all'>();
  const columns: Column<Session>[] = [
    {
      key: 'browser',
      head: t('session.browser'),
      width: 'minmax(150px, 2fr)',
      card: 'title',
      cell: (s) => (
        <span title={s.agent}>
          <bdi>{browserOf(s.agent) ?? t('session.unnamed')}</bdi> {s.current && <Badge tone="well">{t('session.current')}</Badge>}
        </span>
      ),
    },
    { key: 'address', head: t('address'), width: 'minmax(110px, 1fr)', cell: (s) => (s.address ? <span className="mono">{s.address}</span> : t('none')) },
    { key: 'way', head: t('session.way'), width: 'minmax(110px, 1fr)', cell: (s) => t(`way.${s.way}`) },
    { key: 'created', head: t('session.created'), width: '130px', cell: (s) => <Moment at={s.created} /> },
    { key: 'seen', head: t('session.seen'), width: '110px', num: true, cell: (s) => <Ago at={s.last_seen} /> },
    { key: 'expires', head: t('session.expires'), width: '120px', num: true, cell: (s) => <Countdown until={s.expires} /> },
    {
      key: 'end',
      head: t('act'),
      width: '110px',
      fixed: true,
      cell: (s) => (
        <Button look="quiet" onClick={() => setEnding(s)}>
          {t('session.end')}
        </Button>
      ),
    },
  ];
  const end = async (which: Session | 'all') => {
    await ask(api.DELETE('/api/sessions/{id}', { params: { path: { id: which === 'all' ? 'all' : which.id } } }));
    if (which === 'all' || which.current) {
      queries.removeQueries({ queryKey: sessions.queryKey });
      become('out');
      return;
    }
    await queries.invalidateQueries({ queryKey: sessions.queryKey });
    notify({ title: t('session.ended') });
  };
  return (
    <>
      <Section
        id="sessions"
        title={t('sessions')}
        side={
          <Button look="danger" onClick={() => setEnding('all')}>
            {t('session.all')}
          </Button>
        }
      >
        <p className="quiet">{t('sessions.hint')}</p>
        <Loaded query={useQuery(sessions)}>
          {(all) => <Table id="sessions" label={t('sessions')} rows={all} columns={columns} rowKey={(s) => s.id} empty={<EmptyState title={t('sessions.none')} text={t('sessions.none.why')} />} />}
        </Loaded>
      </Section>
      <Password />
      {ending && (
        <Ask
          title={ending === 'all' ? t('session.all') : t('session.end')}
          consequence={ending === 'all' ? t('session.all.then') : ending.current ? t('session.end.own') : t('session.end.then')}
          act={ending === 'all' ? t('session.all') : t('session.end')}
          onAct={() => end(ending)}
          onClose={() => setEnding(undefined)}
        />
      )}
    </>
  );
}

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { status } from '../api/queries';
import { useT } from '../i18n';
import { Ago, Mark } from '../kit';

/** Pill is how the gateway is: running or not, where, who may call, and who can reach it. */
export function Pill() {
  const t = useT('shell');
  const q = useQuery(status);
  if (q.error) {
    return (
      <span className="pill" data-tone="need">
        <Mark tone="need" />
        <b>{t('pill.silent')}</b>
        {q.dataUpdatedAt > 0 && (
          <span className="pill-more">
            {t.rich('pill.since', { time: <Ago at={new Date(q.dataUpdatedAt).toISOString()} /> })}
          </span>
        )}
      </span>
    );
  }
  const s = q.data;
  if (!s) return <span className="pill" aria-label={t('pill.asking')} role="img" />;
  const open = s.lan && s.auth === 'off';
  return (
    <Link to="/proxy" className="pill" data-tone={open ? 'need' : 'well'}>
      <Mark tone={open ? 'need' : 'well'} />
      <b>{t('pill.running')}</b>
      <span className="pill-more">
        <code>{s.address}</code>
      </span>
      <span className="pill-more">{s.auth === 'off' ? t('pill.auth.off') : t('pill.auth.on')}</span>
      <span className="pill-more">{s.lan ? t('pill.lan.on') : t('pill.lan.off')}</span>
    </Link>
  );
}

import { Link } from '@tanstack/react-router';
import { useT } from '../i18n';
import { EmptyState } from '../kit';

export function NotFound() {
  const t = useT('shell');
  return (
    <div className="page">
      <EmptyState title={t('lost')} act={<Link to="/">{t('lost.back')}</Link>} />
    </div>
  );
}

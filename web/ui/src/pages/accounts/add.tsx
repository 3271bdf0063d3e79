// The ways in, each a dialog of its own. Which is open stands in the address.
import type { Account } from '../../api/client';
import { useT } from '../../i18n';
import { Dialog, Icon, type IconName } from '../../kit';
import { DraftForm } from './draft';
import { ImportForm } from './import';
import { LoginForm } from './login';
import type { Way } from './search';

export interface WayProps {
  all: Account[];
  /** To another way, or to none. */
  go: (way: Way | undefined) => void;
  /** An account was added, or several if it has no name. */
  done: (name?: string) => void;
}

const list: { way: Way; icon: IconName }[] = [
  { way: 'key', icon: 'key' },
  { way: 'login', icon: 'globe' },
  { way: 'token', icon: 'refresh' },
  { way: 'file', icon: 'security' },
  { way: 'import', icon: 'download' },
];

export function Add({ way, again, ...p }: WayProps & { way: Way; again?: Account }) {
  switch (way) {
    case 'key':
    case 'token':
    case 'file':
      return <DraftForm key={way} way={way} {...p} />;
    case 'login':
      return <LoginForm {...p} />;
    case 'again':
      return again ? <LoginForm again={again} {...p} /> : null;
    case 'import':
      return <ImportForm {...p} />;
    default:
      return <Choose {...p} />;
  }
}

function Choose({ go }: WayProps) {
  const t = useT('accounts');
  return (
    <Dialog open onClose={() => go(undefined)} title={t('add')}>
      <p className="quiet">{t('add.how')}</p>
      <ul className="ways">
        {list.map(({ way, icon }) => (
          <li key={way}>
            <button type="button" className="way" onClick={() => go(way)}>
              <Icon name={icon} />
              <span>
                <span className="way-name">{t(`way.${way as 'key'}`)}</span>
                <span className="quiet">{t(`way.${way as 'key'}.text`)}</span>
              </span>
              <Icon name="next" flip />
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

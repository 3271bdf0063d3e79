import { useT, type Key } from '../i18n';
import { Dialog, Switch } from '../kit';
import { prefer, usePrefs } from '../lib/prefs';

const list: [string[], Key<'shell'>][] = [
  [['⌘K', 'Ctrl K'], 'keys.palette'],
  [['/'], 'keys.filter'],
  [['j', 'k'], 'keys.move'],
  [['Enter'], 'keys.open'],
  [['Esc'], 'keys.close'],
  [['g', '1–7'], 'keys.page'],
  [['?'], 'keys.help'],
];

/** Shortcuts lists the keys, and switches off those of one letter. */
export function Shortcuts({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT('shell');
  const p = usePrefs();
  return (
    <Dialog open={open} onClose={onClose} title={t('keys')}>
      <dl className="keys">
        {list.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((k) => (
                <kbd key={k}>{k}</kbd>
              ))}
            </dt>
            <dd>{t(what)}</dd>
          </div>
        ))}
      </dl>
      <Switch on={p.keys !== 'off'} onChange={(on) => prefer({ keys: on ? undefined : 'off' })} label={t('keys.single')} hint={t('keys.single.hint')} />
    </Dialog>
  );
}

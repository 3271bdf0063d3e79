import { Dialog } from '@base-ui/react/dialog';
import { useId, useState, type KeyboardEvent } from 'react';
import { useT } from '../i18n';
import { Icon } from '../kit';
import { useAllCommands, type Command } from './commands';

/** found are the commands whose name has all words of the text, those that begin with it first. */
function found(all: Command[], text: string): Command[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const score = (c: Command) => {
    const name = `${c.name} ${c.note ?? ''}`.toLowerCase();
    if (!words.every((w) => name.includes(w))) return 0;
    return name.startsWith(words.join(' ')) ? 2 : 1;
  };
  return all
    .map((c) => [score(c), c] as const)
    .filter(([s]) => s > 0)
    .sort((a, b) => b[0] - a[0])
    .map(([, c]) => c)
    .slice(0, 50);
}

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT('shell');
  const id = useId();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const hits = found(useAllCommands(), text);
  const close = () => {
    setText('');
    setAt(0);
    onClose();
  };
  const run = (c: Command | undefined) => {
    if (!c) return;
    close();
    c.run();
  };
  const press = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: hits.length - 1 }[e.key];
    if (to !== undefined) {
      const next = (to + hits.length) % Math.max(1, hits.length);
      setAt(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (e.key === 'Enter') run(hits[at]);
    else return;
    e.preventDefault();
  };
  return (
    <Dialog.Root open={open} onOpenChange={(to) => !to && close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="scrim" />
        <Dialog.Popup className="palette" aria-label={t('palette')}>
          <div className="palette-input">
            <Icon name="search" />
            <input
              autoFocus
              role="combobox"
              aria-expanded
              aria-controls={`${id}-list`}
              aria-activedescendant={hits.length > 0 ? `${id}-${at}` : undefined}
              aria-label={t('palette')}
              placeholder={t('palette.hint')}
              value={text}
              onChange={(e) => {
                setText(e.target.value);
                setAt(0);
              }}
              onKeyDown={press}
            />
            <kbd>Esc</kbd>
          </div>
          <ul id={`${id}-list`} role="listbox" aria-label={t('palette')} className="palette-list">
            {hits.map((c, i) => (
              <li key={c.name} id={`${id}-${i}`} role="option" aria-selected={i === at} onPointerMove={() => setAt(i)} onClick={() => run(c)}>
                {c.icon ? <Icon name={c.icon} /> : <span className="icon" />}
                <span className="clip">{c.name}</span>
                {c.note && <span className="menu-note">{c.note}</span>}
              </li>
            ))}
          </ul>
          {hits.length === 0 && <p className="palette-none quiet">{t('palette.none')}</p>}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

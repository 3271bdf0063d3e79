import { Dialog as Base } from '@base-ui/react/dialog';
import { useState, type ReactNode } from 'react';
import { useT } from '../i18n';
import { Button } from './button';
import { Field, Input } from './field';
import { Icon } from './icon';

interface Props {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  children: ReactNode;
  /** Buttons at the end, the main one last. */
  foot?: ReactNode;
}

function Layer({ open, onClose, title, children, foot, kind }: Props & { kind: 'dialog' | 'drawer' }) {
  const t = useT('kit');
  return (
    <Base.Root open={open} onOpenChange={(to) => !to && onClose()} modal={kind === 'dialog' ? true : 'trap-focus'}>
      <Base.Portal>
        {kind === 'dialog' && <Base.Backdrop className="scrim" />}
        <Base.Popup className={kind}>
          <header className="layer-head">
            <Base.Title className="layer-title">{title}</Base.Title>
            <Base.Close className="icon-button" aria-label={t('close')}>
              <Icon name="close" />
            </Base.Close>
          </header>
          <div className="layer-body">{children}</div>
          {foot && <footer className="layer-foot">{foot}</footer>}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

/** Dialog asks for something before the page goes on. */
export function Dialog(p: Props) {
  return <Layer {...p} kind="dialog" />;
}

/** Drawer shows one thing of a list beside it; the list stays. */
export function Drawer(p: Props) {
  return <Layer {...p} kind="drawer" />;
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** What follows, in words. */
  consequence: ReactNode;
  act: string;
  onAct: () => void | Promise<void>;
  /** What has to be typed first, for what cannot be undone. */
  name?: string;
}

/** Confirm says what follows before something is destroyed. */
export function Confirm({ open, onClose, title, consequence, act, onAct, name }: ConfirmProps) {
  const t = useT('kit');
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const close = () => {
    setTyped('');
    onClose();
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title={title}
      foot={
        <>
          <Button onClick={close}>{t('cancel')}</Button>
          <Button
            look="danger"
            busy={busy}
            disabled={name !== undefined && typed.trim() !== name}
            onClick={async () => {
              setBusy(true);
              try {
                await onAct();
                close();
              } finally {
                setBusy(false);
              }
            }}
          >
            {act}
          </Button>
        </>
      }
    >
      <p>{consequence}</p>
      {name !== undefined && (
        <Field label={t('type.name', { name })}>
          <Input value={typed} onChange={(e) => setTyped(e.target.value)} autoComplete="off" spellCheck={false} />
        </Field>
      )}
    </Dialog>
  );
}

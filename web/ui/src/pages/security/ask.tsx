import { useState, type ReactNode } from 'react';
import { Failure } from '../../api/client';
import { useT } from '../../i18n';
import { Button, Dialog, ErrorState, State } from '../../kit';

interface Props {
  title: string;
  consequence: ReactNode;
  act: string;
  /** What to press if the gateway refuses since one would lock oneself out; absent: that cannot be. */
  force?: string;
  onAct: (force: boolean) => Promise<void>;
  onClose: () => void;
}

/** Ask says what follows before something is ended or removed, and shows in its place why it could not be. */
export function Ask({ title, consequence, act, force, onAct, onClose }: Props) {
  const kit = useT('kit');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const locks = force !== undefined && error instanceof Failure && error.code === 'would_lock_out';
  const go = async () => {
    setBusy(true);
    try {
      await onAct(locks);
      onClose();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      foot={
        <>
          <Button onClick={onClose}>{kit('cancel')}</Button>
          <Button look="danger" busy={busy} onClick={go}>
            {locks ? force : act}
          </Button>
        </>
      }
    >
      <p>{consequence}</p>
      {locks ? <Lockout error={error} /> : error !== undefined && <ErrorState error={error} />}
    </Dialog>
  );
}

/** Lockout is the gateway's refusal of what would keep its author out. */
export function Lockout({ error }: { error: Failure }) {
  const t = useT('security');
  return (
    <div className="lockout" role="alert">
      <p>
        <State tone="need">{t('lockout')}</State>
      </p>
      <p className="quiet" dir="auto" lang="en">
        {error.message}
      </p>
    </div>
  );
}

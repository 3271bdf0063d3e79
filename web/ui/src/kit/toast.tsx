import { Toast } from '@base-ui/react/toast';
import type { ReactNode } from 'react';
import { useT } from '../i18n';
import { Icon } from './icon';

const manager = Toast.createToastManager();

interface Notice {
  title: string;
  text?: string;
  /** What can be done about it, such as undo; it ends the notice. */
  act?: { label: string; run: () => void };
  /** How long it stays, in milliseconds. */
  stay?: number;
}

/** notify says that something is done. It is never the only place of an error. */
export function notify({ title, text, act, stay }: Notice) {
  const id = manager.add({
    title,
    description: text,
    timeout: stay ?? (act ? 10_000 : 4_000),
    actionProps: act && {
      children: act.label,
      onClick: () => {
        act.run();
        manager.close(id);
      },
    },
  });
}

function Notices() {
  const { toasts } = Toast.useToastManager();
  const t = useT('kit');
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="toast">
      <Toast.Content className="toast-content">
        <div>
          <Toast.Title className="toast-title" />
          <Toast.Description className="toast-text" />
        </div>
        <Toast.Action className="button" data-look="quiet" />
        <Toast.Close className="icon-button" aria-label={t('close')}>
          <Icon name="close" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}

export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <Notices />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

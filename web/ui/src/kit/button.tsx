import { Tooltip } from '@base-ui/react/tooltip';
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Icon, type IconName } from './icon';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** main: the one act of the place; plain; quiet: text only; danger: destroys something */
  look?: 'main' | 'plain' | 'quiet' | 'danger';
  icon?: IconName;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
  children: ReactNode;
}

export function Button({ look = 'plain', icon, busy, children, className = '', disabled, ...rest }: Props) {
  return (
    <button type="button" className={`button ${className}`} data-look={look} aria-busy={busy || undefined} disabled={disabled || busy} {...rest}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

interface IconProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> {
  icon: IconName;
  label: string;
  pressed?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** IconButton says its name to who asks: to a pointer in a tip, to readers always. */
export function IconButton({ icon, label, pressed, className = '', ...rest }: IconProps) {
  return (
    <Tip text={label}>
      <button type="button" className={`icon-button ${className}`} aria-label={label} aria-pressed={pressed} {...rest}>
        <Icon name={icon} />
      </button>
    </Tip>
  );
}

/** Tip shows text beside its one element, when it is pointed at or focused. */
export function Tip({ text, children }: { text: ReactNode; children: React.ReactElement<Record<string, unknown>> }) {
  if (!text) return children;
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} className="layer">
          <Tooltip.Popup className="tip">{text}</Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

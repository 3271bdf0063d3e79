import { Field as Base } from '@base-ui/react/field';
import { Select as BaseSelect } from '@base-ui/react/select';
import { Switch as BaseSwitch } from '@base-ui/react/switch';
import type { InputHTMLAttributes, ReactNode, Ref, TextareaHTMLAttributes } from 'react';
import { Icon } from './icon';

interface FieldProps {
  label: ReactNode;
  /** One line on what it does. */
  hint?: ReactNode;
  error?: ReactNode;
  /** Beside the label, such as where a value comes from. */
  side?: ReactNode;
  children: ReactNode;
}

/** Field is a control with its label, its consequence, and what is wrong with it. */
export function Field({ label, hint, error, side, children }: FieldProps) {
  return (
    <Base.Root className="field" invalid={!!error}>
      <div className="field-head">
        <Base.Label className="field-label">{label}</Base.Label>
        {side}
      </div>
      {children}
      {error ? (
        <Base.Error className="field-error" match>
          {error}
        </Base.Error>
      ) : (
        hint && <Base.Description className="field-hint">{hint}</Base.Description>
      )}
    </Base.Root>
  );
}

interface InputProps extends InputHTMLAttributes<HTMLInputElement> {
  mono?: boolean;
  ref?: Ref<HTMLInputElement>;
}

export function Input({ mono, className = '', ...rest }: InputProps) {
  return <Base.Control className={`input ${mono ? 'mono' : ''} ${className}`} {...(rest as object)} />;
}

export function TextArea({ mono, className = '', ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement> & { mono?: boolean }) {
  return <Base.Control className={`input area ${mono ? 'mono' : ''} ${className}`} {...(rest as object)} render={<textarea />} />;
}

export interface Option {
  value: string;
  label: ReactNode;
  /** A word more, in the list only. */
  note?: ReactNode;
}

interface SelectProps {
  value: string;
  onChange: (value: string) => void;
  options: Option[];
  label?: string; // where there is no Field around it
  compact?: boolean;
  disabled?: boolean;
}

export function Select({ value, onChange, options, label, compact, disabled }: SelectProps) {
  return (
    <BaseSelect.Root value={value} onValueChange={(v) => v !== null && onChange(v)} items={options} disabled={disabled}>
      <BaseSelect.Trigger className="select" data-compact={compact || undefined} aria-label={label}>
        <BaseSelect.Value className="clip" />
        <BaseSelect.Icon className="select-icon">
          <Icon name="down" />
        </BaseSelect.Icon>
      </BaseSelect.Trigger>
      <BaseSelect.Portal>
        <BaseSelect.Positioner className="layer" sideOffset={4} alignItemWithTrigger={false}>
          <BaseSelect.Popup className="menu">
            <BaseSelect.List>
              {options.map((o) => (
                <BaseSelect.Item key={o.value} value={o.value} className="menu-item">
                  <span className="menu-mark">
                    <BaseSelect.ItemIndicator>
                      <Icon name="check" />
                    </BaseSelect.ItemIndicator>
                  </span>
                  <BaseSelect.ItemText>{o.label}</BaseSelect.ItemText>
                  {o.note && <span className="menu-note">{o.note}</span>}
                </BaseSelect.Item>
              ))}
            </BaseSelect.List>
          </BaseSelect.Popup>
        </BaseSelect.Positioner>
      </BaseSelect.Portal>
    </BaseSelect.Root>
  );
}

interface SwitchProps {
  on: boolean;
  onChange: (on: boolean) => void;
  label: ReactNode;
  hint?: ReactNode;
  disabled?: boolean;
}

export function Switch({ on, onChange, label, hint, disabled }: SwitchProps) {
  return (
    <label className="switch-row">
      <BaseSwitch.Root checked={on} onCheckedChange={onChange} disabled={disabled} className="switch">
        <BaseSwitch.Thumb className="switch-thumb" />
      </BaseSwitch.Root>
      <span>
        <span className="switch-label">{label}</span>
        {hint && <span className="field-hint">{hint}</span>}
      </span>
    </label>
  );
}

/** Segments is a choice of few, all in sight. */
export function Segments({ value, onChange, options, label }: { value: string; onChange: (value: string) => void; options: Option[]; label: string }) {
  return (
    <div className="segments" role="radiogroup" aria-label={label}>
      {options.map((o, i) => (
        <button
          key={o.value}
          type="button"
          role="radio"
          aria-checked={o.value === value}
          tabIndex={o.value === value ? 0 : -1}
          onClick={() => onChange(o.value)}
          onKeyDown={(e) => {
            const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
            if (!step) return;
            e.preventDefault();
            const mirrored = document.dir === 'rtl' && e.key.length > 9 ? -step : step;
            const next = (i + mirrored + options.length) % options.length;
            onChange(options[next]?.value ?? value);
            (e.currentTarget.parentElement?.children[next] as HTMLElement | undefined)?.focus();
          }}
        >
          {o.label}
        </button>
      ))}
    </div>
  );
}

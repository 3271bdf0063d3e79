import { Menu as Base } from '@base-ui/react/menu';
import { Tabs as BaseTabs } from '@base-ui/react/tabs';
import type { ReactElement, ReactNode } from 'react';
import { Icon, type IconName } from './icon';

export type Entry =
  | { label: ReactNode; run: () => void; icon?: IconName; note?: ReactNode; danger?: boolean; disabled?: boolean }
  | { label: ReactNode; checked: boolean; set: (on: boolean) => void }
  | { head: ReactNode }
  | 'line';

/** Menu is what can be done, behind one button. */
export function Menu({ trigger, entries, align = 'end' }: { trigger: ReactElement<Record<string, unknown>>; entries: Entry[]; align?: 'start' | 'end' }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner className="layer" sideOffset={4} align={align}>
          <Base.Popup className="menu">
            {entries.map((e, i) => {
              if (e === 'line') return <Base.Separator key={i} className="menu-line" />;
              if ('head' in e)
                return (
                  <div key={i} className="menu-head" role="presentation">
                    {e.head}
                  </div>
                );
              if ('set' in e)
                return (
                  <Base.CheckboxItem key={i} className="menu-item" checked={e.checked} onCheckedChange={e.set} closeOnClick={false}>
                    <span className="menu-mark">
                      <Base.CheckboxItemIndicator>
                        <Icon name="check" />
                      </Base.CheckboxItemIndicator>
                    </span>
                    <span>{e.label}</span>
                  </Base.CheckboxItem>
                );
              return (
                <Base.Item key={i} className="menu-item" data-danger={e.danger || undefined} disabled={e.disabled} onClick={e.run}>
                  <span className="menu-mark">{e.icon && <Icon name={e.icon} />}</span>
                  <span>{e.label}</span>
                  {e.note && <span className="menu-note">{e.note}</span>}
                </Base.Item>
              );
            })}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export interface TabDef {
  value: string;
  label: ReactNode;
  body: ReactNode;
}

export function Tabs({ value, onChange, tabs, label }: { value: string; onChange: (value: string) => void; tabs: TabDef[]; label: string }) {
  return (
    <BaseTabs.Root value={value} onValueChange={(v) => onChange(String(v))} className="tabs">
      <BaseTabs.List className="tabs-list" aria-label={label}>
        {tabs.map((t) => (
          <BaseTabs.Tab key={t.value} value={t.value} className="tab">
            {t.label}
          </BaseTabs.Tab>
        ))}
      </BaseTabs.List>
      {tabs.map((t) => (
        <BaseTabs.Panel key={t.value} value={t.value} className="tab-body">
          {t.body}
        </BaseTabs.Panel>
      ))}
    </BaseTabs.Root>
  );
}

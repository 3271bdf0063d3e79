import type { Account } from '../../api/client';
import { useT } from '../../i18n';
import { IconButton, Menu, notify, type Entry } from '../../kit';
import type { Acts } from './acts';
import { movable } from './data';

/** useTest asks the upstream of one account and says what it found. */
export function useTest(acts: Acts): (name: string) => Promise<void> {
  const t = useT('accounts');
  return async (name) => {
    const r = await acts.test(name);
    if (r) notify({ title: r.ok ? t('test.ok', { account: name }) : t('test.failed', { account: name }), text: r.ok ? undefined : (r.message ?? r.text) });
  };
}

/** RowActs is the test, and behind a button all else that one does with an account. */
export function RowActs({ a, all, acts, again }: { a: Account; all: Account[]; acts: Acts; again: (name: string) => void }) {
  const t = useT('accounts');
  const test = useTest(acts);
  const order = movable(all);
  const at = order.indexOf(a.name);
  const ours = a.origin === 'store';
  const entries: Entry[] = [
    { label: a.state === 'off' ? t('enable') : t('disable'), icon: a.state === 'off' ? 'play' : 'pause', disabled: !ours, run: () => void acts.bulk('change', [a.name], { change: { disabled: a.state !== 'off' } }) },
    { label: t('heal'), icon: 'refresh', run: () => void acts.heal(a.name) },
    ...(ours && a.login ? [{ label: t('again'), icon: 'key' as const, run: () => again(a.name) }] : []),
    'line',
    { label: t('move.top'), disabled: at <= 0, run: () => void acts.move(all, a.name, 'top') },
    { label: t('move.up'), icon: 'up', disabled: at <= 0, run: () => void acts.move(all, a.name, -1) },
    { label: t('move.down'), icon: 'down', disabled: at < 0 || at === order.length - 1, run: () => void acts.move(all, a.name, 1) },
    'line',
    { label: t('remove'), icon: 'trash', danger: true, disabled: !ours, run: () => void acts.bulk('remove', [a.name], { remove: true }) },
  ];
  return (
    <span className="row-acts">
      <IconButton icon="play" label={t('test')} disabled={acts.busy !== undefined} onClick={() => void test(a.name)} />
      <Menu trigger={<IconButton icon="more" label={t('acts', { account: a.name })} />} entries={entries} />
    </span>
  );
}

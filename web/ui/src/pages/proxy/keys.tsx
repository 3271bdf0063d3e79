import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { api, ask } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat, type Format } from '../../i18n/format';
import { Ago, Button, Confirm, Dialog, EmptyState, ErrorState, IconButton, Input, Loaded, Menu, Section, State, Table, notify, type Column, type Tone } from '../../kit';
import { keys, type ClientKey } from './data';
import { KeyDrawer } from './key';
import { Shown, type Made } from './made';
import type { Search } from './search';

const none = { tokens: 0, usd: 0, spent_tokens: 0, spent_usd: 0, held_tokens: 0, held_usd: 0 };

const example: ClientKey = {
  name: 'laptop', hint: 'sk-…ab12', version: 1, state: 'active', created: '', updated: '', note: '', models: ['claude-*'], routes: [], addresses: [], hours: [], prefer: [],
  zone: 'UTC', strict: false, rpm: 60, tpm: 0, concurrency: 0, in_flight: 0, day: { ...none, usd: 5, spent_usd: 1.2 }, month: none,
};

export const toneOf: Record<ClientKey['state'], Tone> = { active: 'well', disabled: 'off', expired: 'need' };

type Words = ReturnType<typeof useT<'proxy'>>;

/** limits are those of a key, in few words. */
function limits(t: Words, f: Format, k: ClientKey): string {
  return [
    k.rpm > 0 && t('limit.rpm', { number: f.short(k.rpm) }),
    k.tpm > 0 && t('limit.tpm', { number: f.short(k.tpm) }),
    k.concurrency > 0 && t('limit.parallel', { number: f.short(k.concurrency) }),
    (k.models ?? []).length > 0 && (k.models ?? []).join(', '),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** spent is what of a budget was used, and what it is. */
export function spent(f: Format, b: ClientKey['day']): string {
  return [b.usd > 0 && `${f.usd(b.spent_usd)} / ${f.usd(b.usd)}`, b.tokens > 0 && `${f.short(b.spent_tokens)} / ${f.short(b.tokens)}`].filter(Boolean).join(' · ');
}

/** Keys are the keys of clients: each is shown once, limited, renewed and revoked. */
export function Keys({ s, onMade }: { s: Search; onMade: (m: Made) => void }) {
  const t = useT('proxy');
  const f = useFormat();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const q = useQuery(keys);
  const [asked, setAsked] = useState<{ act: 'rotate' | 'revoke'; name: string }>();
  const [made, setMade] = useState<Made>();
  const [error, setError] = useState<unknown>();
  const set = (change: Partial<Search>) => void navigate({ to: '/proxy', search: (p) => ({ ...p, ...change }), replace: true });

  /** run makes a change; what it failed of is said in a dialog. */
  const run = async (change: () => Promise<unknown>) => {
    try {
      await change();
    } catch (e) {
      setError(e);
    } finally {
      await queries.invalidateQueries({ queryKey: keys.queryKey });
    }
  };
  const turn = (name: string, disabled: boolean, quietly = false) =>
    run(async () => {
      await ask(api.PATCH('/api/keys/{name}', { params: { path: { name } }, body: { disabled } }));
      if (quietly) return; // its drawer shows it, and has the way back
      notify({ title: disabled ? t('off.done', { name }) : t('on.done', { name }), act: { label: t('undo'), run: () => void turn(name, !disabled) } });
    });
  const rotate = (name: string) =>
    run(async () => {
      const k = await ask(api.POST('/api/keys/{name}/rotate', { params: { path: { name } } }));
      setMade({ name, text: k.key });
      onMade({ name, text: k.key });
    });
  const revoke = (name: string) =>
    run(async () => {
      await ask(api.DELETE('/api/keys/{name}', { params: { path: { name } } }));
      set({ open: undefined });
      notify({ title: t('revoke.done', { name }) });
    });

  const columns = useMemo<Column<ClientKey>[]>(
    () => [
      { key: 'name', head: t('col.name'), width: 'minmax(110px, 1.4fr)', card: 'title', fixed: true, sort: (k) => k.name, cell: (k) => <span className="clip" title={k.note || undefined}>{k.name}</span> },
      { key: 'state', head: t('col.state'), width: '112px', sort: (k) => k.state, cell: (k) => <State tone={toneOf[k.state]}>{t(`state.${k.state}`)}</State> },
      { key: 'hint', head: t('col.hint'), width: '92px', cell: (k) => <code>{k.hint}</code> },
      { key: 'limits', head: t('col.limits'), width: 'minmax(100px, 2fr)', cell: (k) => { const l = limits(t, f, k); return <span className="clip quiet" title={l}>{l || t('limit.none')}</span>; } },
      { key: 'day', head: t('col.day'), width: 'minmax(96px, 1fr)', num: true, cell: (k) => spent(f, k.day) || '–' },
      { key: 'month', head: t('col.month'), width: 'minmax(96px, 1fr)', num: true, cell: (k) => spent(f, k.month) || '–' },
      { key: 'expires', head: t('col.expires'), width: '96px', extra: true, cell: (k) => (k.expires ? f.time(k.expires) : t('never')) },
      { key: 'used', head: t('col.used'), width: '92px', num: true, sort: (k) => k.last_used ?? '', cell: (k) => (k.last_used ? <Ago at={k.last_used} /> : '–') },
      {
        key: 'acts', head: '', width: '36px', fixed: true, card: 'none', cell: (k) => (
          <Menu
            trigger={<IconButton icon="more" label={t('acts', { name: k.name })} />}
            entries={[
              { label: t('act.limits'), run: () => set({ open: k.name }) },
              { label: t('act.requests'), run: () => void navigate({ to: '/monitor', search: { key: k.name } }) },
              { label: k.state === 'disabled' ? t('act.on') : t('act.off'), run: () => void turn(k.name, k.state !== 'disabled') },
              { label: t('act.rotate'), icon: 'refresh', run: () => setAsked({ act: 'rotate', name: k.name }) },
              'line',
              { label: t('act.revoke'), icon: 'trash', danger: true, run: () => setAsked({ act: 'revoke', name: k.name }) },
            ]}
          />
        ),
      },
    ],
    [t, f],
  );

  return (
    <Section
      title={t('keys')}
      id="keys"
      side={(q.data?.length ?? 0) > 5 && <Input value={s.q ?? ''} onChange={(e) => set({ q: e.target.value || undefined })} placeholder={t('keys.filter')} aria-label={t('keys.filter')} data-filter />}
    >
      <Loaded query={q} rows={5}>
        {(all) => {
          const needle = (s.q ?? '').toLowerCase();
          const rows = all.filter((k) => k.name.toLowerCase().includes(needle) || k.note.toLowerCase().includes(needle));
          return (
            <>
              {all.length > 0 ? (
                <Table
                  id="keys"
                  label={t('keys')}
                  rows={rows}
                  columns={columns}
                  rowKey={(k) => k.name}
                  onOpen={(k) => set({ open: k.name })}
                  opened={s.open}
                  height={rows.length > 24 ? '70dvh' : undefined}
                  empty={<EmptyState title={t('keys.unmatched')} />}
                />
              ) : (
                <EmptyState
                  title={t('keys.empty')}
                  text={t('keys.empty.text')}
                  example={<Table id="keys" label={t('keys')} rows={[example]} columns={columns} rowKey={(k) => k.name} />}
                  act={
                    <Button icon="plus" onClick={() => set({ add: true })}>
                      {t('key.add')}
                    </Button>
                  }
                />
              )}
              {s.open !== undefined && <KeyDrawer name={s.open} known={all.find((k) => k.name === s.open)} onClose={() => set({ open: undefined })} onAct={(act) => setAsked({ act, name: s.open ?? '' })} onTurn={(off) => void turn(s.open ?? '', off, true)} />}
            </>
          );
        }}
      </Loaded>
      <Confirm
        open={asked?.act === 'rotate'}
        onClose={() => setAsked(undefined)}
        title={t('rotate.ask', { name: asked?.name ?? '' })}
        consequence={t('rotate.then')}
        act={t('act.rotate')}
        onAct={() => rotate(asked?.name ?? '')}
      />
      <Confirm
        open={asked?.act === 'revoke'}
        onClose={() => setAsked(undefined)}
        title={t('revoke.ask', { name: asked?.name ?? '' })}
        consequence={t('revoke.then')}
        act={t('act.revoke')}
        name={asked?.name ?? ''}
        onAct={() => revoke(asked?.name ?? '')}
      />
      {made && <Shown made={made} onClose={() => setMade(undefined)} />}
      {error !== undefined && (
        <Dialog open onClose={() => setError(undefined)} title={t('keys')}>
          <ErrorState error={error} />
        </Dialog>
      )}
    </Section>
  );
}

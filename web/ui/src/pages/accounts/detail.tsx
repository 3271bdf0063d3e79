import { Link } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import type { Account } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Ago, Badge, Button, Copyable, Countdown, Drawer, ErrorState, Family, Field, Input, Mark, Meter, Section, Switch } from '../../kit';
import type { Acts } from './acts';
import { movable, toneOfQuota, vendorOf } from './data';
import { Health } from './parts';

interface Props {
  a: Account;
  all: Account[];
  acts: Acts;
  onClose: () => void;
  again: (name: string) => void;
}

/** Detail is all that is known of one account, and what can be changed about it. */
export function Detail({ a, all, acts, onClose, again }: Props) {
  const t = useT('accounts');
  const f = useFormat();
  const [found, setFound] = useState<{ ok: boolean; text: string; message?: string; took: number; models: number }>();
  useEffect(() => setFound(undefined), [a.name]);
  const ours = a.origin === 'store';
  const order = movable(all);
  const at = order.indexOf(a.name);
  const test = async () => {
    const r = await acts.test(a.name);
    setFound(r && { ok: r.ok, text: r.text, message: r.message, took: r.took_ms, models: r.models ?? 0 });
  };
  return (
    <Drawer
      open
      onClose={onClose}
      title={
        <>
          <Family of={`${a.provider} ${a.preset ?? ''}`} /> {a.name}
        </>
      }
      foot={
        <>
          {ours && (
            <Button
              look="danger"
              icon="trash"
              disabled={acts.busy !== undefined}
              onClick={() => {
                onClose();
                void acts.bulk('remove', [a.name], { remove: true });
              }}
            >
              {t('remove')}
            </Button>
          )}
          <span className="grow" />
          {a.state !== 'ready' && a.state !== 'off' && (
            <Button icon="refresh" busy={acts.busy === 'heal'} onClick={() => void acts.heal(a.name)}>
              {t('heal')}
            </Button>
          )}
          {ours && a.login && <Button onClick={() => again(a.name)}>{t('again')}</Button>}
          <Button look="main" icon="play" busy={acts.busy === 'test'} onClick={() => void test()}>
            {t('test')}
          </Button>
        </>
      }
    >
      <div className="accounts-detail">
        <div className="detail-health">
          <p>
            <Health a={a} />
          </p>
          {a.since && <p className="quiet">{t.rich('since', { time: <Ago at={a.since} /> })}</p>}
          {a.message && (
            <p lang="en" dir="auto">
              {a.message}
            </p>
          )}
          {a.link && (
            <p>
              <a href={a.link} target="_blank" rel="noreferrer">
                {t('mend')}
              </a>
            </p>
          )}
        </div>
        {acts.error !== undefined && <ErrorState error={acts.error} />}
        {found && (
          <div className="found" role="status">
            <Mark tone={found.ok ? 'well' : 'need'} />
            <div>
              <p lang="en" dir="auto">
                {found.text}
              </p>
              {found.message && (
                <p className="quiet" dir="auto">
                  {found.message}
                </p>
              )}
              <p className="quiet num">
                {f.span(found.took)}
                {found.models > 0 && <> · {t('found.models', { n: found.models })}</>}
              </p>
            </div>
          </div>
        )}
        {!ours && <p className="quiet">{a.origin === 'file' ? t('origin.file') : t('origin.built_in')}</p>}
        {ours && <Change key={a.name} a={a} acts={acts} />}
        {at >= 0 && order.length > 1 && (
          <div className="place">
            <span className="quiet num">{t('place', { at: at + 1, of: order.length })}</span>
            <Button icon="up" disabled={at === 0 || acts.busy !== undefined} onClick={() => void acts.move(all, a.name, -1)}>
              {t('move.up')}
            </Button>
            <Button icon="down" disabled={at === order.length - 1 || acts.busy !== undefined} onClick={() => void acts.move(all, a.name, 1)}>
              {t('move.down')}
            </Button>
          </div>
        )}
        <Section title={t('col.quota')}>
          {a.quota?.length ? (
            <ul className="lines">
              {a.quota.map((q) => (
                <li key={q.window} className="line">
                  <span className="mono window-name">{q.window}</span>
                  <div>
                    {q.left_percent != null && <Meter share={q.left_percent / 100} tone={toneOfQuota(q)} label={t('quota.left', { window: q.window, percent: f.percent(q.left_percent / 100) })} />}
                    <p className="quiet">
                      {q.resets && t.rich('quota.resets', { time: <Countdown until={q.resets} /> })}
                      {q.runs_dry && <> · {t.rich('quota.dry', { time: <Countdown until={q.runs_dry} /> })}</>}
                      {q.protected && <> · {t('protected')}</>}
                    </p>
                  </div>
                  <span className="num">{q.left_percent != null ? f.percent(q.left_percent / 100) : q.amount != null ? f.usd(q.amount) : '–'}</span>
                </li>
              ))}
            </ul>
          ) : (
            <p className="quiet pad">{t('quota.none')}</p>
          )}
        </Section>
        {(a.trouble ?? []).length > 0 && (
          <Section title={t('troubles')}>
            <ul className="lines">
              {a.trouble?.map((x) => (
                <li key={x.model} className="line">
                  <Mark tone={x.state === 'down' ? 'need' : x.state === 'ready' ? 'well' : 'wait'} />
                  <div>
                    <p className="mono">{x.model}</p>
                    <p className="quiet" lang="en" dir="auto">
                      {x.message ?? x.text}
                    </p>
                  </div>
                  {x.until && <Countdown until={x.until} />}
                </li>
              ))}
            </ul>
          </Section>
        )}
        <Section title={t('details')} side={<Link to="/monitor" search={{ account: a.name }}>{t('requests')}</Link>}>
          <dl className="facts">
            <Fact name={t('col.vendor')}>
              <span className="mono">{vendorOf(a)}</span>
            </Fact>
            {a.base_url && (
              <Fact name={t('base')}>
                <Copyable text={a.base_url} />
              </Fact>
            )}
            {a.key && (
              <Fact name={t('col.key')}>
                <span className="mono">{a.key}</span>
              </Fact>
            )}
            {a.login && (
              <Fact name={t('login.of')}>
                <span dir="auto">{a.login}</span>
              </Fact>
            )}
            <Fact name={t('speaks')}>
              <span className="mono">{a.protocols?.join(', ')}</span>
            </Fact>
            <Fact name={t('col.models')}>
              <span className="mono">{a.models?.length ? a.models.join(', ') : t('models.all')}</span>
            </Fact>
            {(a.tags ?? []).length > 0 && (
              <Fact name={t('col.tags')}>
                {a.tags?.map((x) => (
                  <Badge key={x}>{x}</Badge>
                ))}
              </Fact>
            )}
            <Fact name={t('limits')}>
              {a.limits.rpm || a.limits.tpm || a.limits.concurrency ? (
                <span className="num">{t('limits.are', { rpm: a.limits.rpm ? f.short(a.limits.rpm) : '–', tpm: a.limits.tpm ? f.short(a.limits.tpm) : '–', at: a.limits.concurrency ? f.short(a.limits.concurrency) : '–' })}</span>
              ) : (
                t('limits.none')
              )}
            </Fact>
            <Fact name={t('col.served')}>
              <span className="num">{f.exact(a.served)}</span>
            </Fact>
            {a.first_ms ? (
              <Fact name={t('col.first')}>
                <span className="num">{f.span(a.first_ms)}</span>
              </Fact>
            ) : null}
            {[...(a.headers ?? []), ...(a.options ?? [])].length > 0 && (
              <Fact name={t('settings')}>
                <span className="mono">{[...(a.headers ?? []), ...(a.options ?? [])].join(', ')}</span>
              </Fact>
            )}
          </dl>
        </Section>
      </div>
    </Drawer>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="quiet">{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Change is what one changes often; it is kept with its button, a switch at once. */
function Change({ a, acts }: { a: Account; acts: Acts }) {
  const t = useT('accounts');
  const was = { label: a.label ?? '', tags: (a.tags ?? []).join(' '), models: (a.models ?? []).join(' '), priority: String(a.priority), weight: String(a.weight) };
  const [v, setV] = useState(was);
  const words = (s: string) => s.split(/[\s,]+/).filter(Boolean);
  const whole = (s: string) => /^-?\d{1,7}$/.test(s.trim());
  const changed = (Object.keys(was) as (keyof typeof was)[]).some((k) => v[k] !== was[k]);
  const fit = whole(v.priority) && whole(v.weight) && Number(v.weight) >= 1;
  const field = (k: keyof typeof was, label: string, hint?: string, mono = true) => (
    <Field label={label} hint={hint}>
      <Input value={v[k]} mono={mono} spellCheck={false} onChange={(e) => setV({ ...v, [k]: e.target.value })} inputMode={k === 'priority' || k === 'weight' ? 'numeric' : undefined} />
    </Field>
  );
  return (
    <form
      className="change"
      onSubmit={(e) => {
        e.preventDefault();
        void acts.change(a.name, { label: v.label, tags: words(v.tags), models: words(v.models), priority: Number(v.priority), weight: Number(v.weight) });
      }}
    >
      <Switch on={a.state !== 'off'} label={t('on')} hint={t('on.hint')} disabled={acts.busy !== undefined} onChange={(on) => void acts.change(a.name, { disabled: !on })} />
      <div className="pair">
        {field('priority', t('col.priority'), t('priority.hint'))}
        {field('weight', t('col.weight'), t('weight.hint'))}
      </div>
      {field('models', t('col.models'), t('models.hint'))}
      <div className="pair">
        {field('label', t('label'), undefined, false)}
        {field('tags', t('col.tags'), t('tag.hint'))}
      </div>
      {changed && (
        <div className="row-end">
          <Button onClick={() => setV(was)}>{t('revert')}</Button>
          <Button type="submit" look="main" busy={acts.busy === 'change'} disabled={!fit}>
            {t('save')}
          </Button>
        </div>
      )}
    </form>
  );
}

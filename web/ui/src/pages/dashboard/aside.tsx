import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ask, type Account } from '../../api/client';
import { accounts, checks, models } from '../../api/queries';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Ago, Button, Copyable, Countdown, Family, Loaded, Mark, Meter, Section, Skeleton, notify, useFailure } from '../../kit';
import { prefer, usePrefs } from '../../lib/prefs';
import { families, foresee, needy, own, sample, toneOf } from './data';

/** Attention lists what wants a person, each with the one act that helps. */
export function Attention() {
  const t = useT('dashboard');
  const a = useQuery(accounts);
  const c = useQuery(checks);
  const faulty = (c.data ?? []).filter((x) => x.state !== 'ok' && !x.name.startsWith('account:') && x.name !== 'accounts');
  return (
    <Section title={t('attention')} id="attention">
      <Loaded query={a} rows={2}>
        {(all) => {
          const list = needy(all);
          if (list.length === 0 && faulty.length === 0) return <p className="quiet pad">{t('attention.none')}</p>;
          return (
            <ul className="lines">
              {list.slice(0, 6).map((x) => (
                <Needy key={x.name} a={x} />
              ))}
              {list.length > 6 && (
                <li className="line">
                  <Link to="/accounts" search={{ state: 'needy' }}>
                    {t('more', { n: list.length - 6 })}
                  </Link>
                </li>
              )}
              {faulty.map((x) => (
                <li key={x.name} className="line">
                  <Mark tone={x.state === 'fail' ? 'need' : 'wait'} />
                  <div lang="en" dir="auto">
                    <p>{x.text}</p>
                    {x.fix && <p className="quiet">{x.fix}</p>}
                  </div>
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Section>
  );
}

function Needy({ a }: { a: Account }) {
  const t = useT('dashboard');
  const faults = useT('faults');
  const words = useFailure();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const why = a.why && (faults.maybe(a.why) ?? a.why);
  const test = async () => {
    setBusy(true);
    try {
      const r = await ask(api.POST('/api/accounts/{name}/test', { params: { path: { name: a.name } } }));
      notify({ title: r.ok ? t('test.ok', { account: a.name }) : t('test.failed', { account: a.name }), text: r.ok ? undefined : (r.message ?? r.text) });
      await queries.invalidateQueries({ queryKey: accounts.queryKey });
    } catch (e) {
      const w = words(e);
      notify({ title: w.what, text: w.why });
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="line">
      <Mark tone={toneOf(a.state)} />
      <div>
        <p>
          <Link to="/accounts" search={{ open: a.name }}>
            {a.name}
          </Link>{' '}
          {a.state === 'cooling' && a.until ? t.rich('state.cooling', { time: <Countdown until={a.until} /> }) : t(`state.${a.state}`)}
        </p>
        <p className="quiet">
          {why}
          {a.since && <> · {t.rich('since', { time: <Ago at={a.since} /> })}</>}
        </p>
      </div>
      <Button onClick={() => void test()} busy={busy}>
        {t('test')}
      </Button>
    </li>
  );
}

/** Best is who would serve each family now, as the gateway itself says. */
export function Best() {
  const t = useT('dashboard');
  const f = useFormat();
  const m = useQuery(models);
  const samples = families.flatMap((family) => {
    const model = sample(m.data ?? [], family);
    return model ? [{ family, model }] : [];
  });
  const answers = useQueries({ queries: samples.map((x) => foresee(x.family, x.model)) });
  return (
    <Section title={t('best')} id="best">
      <Loaded query={m} rows={3}>
        {() =>
          samples.length === 0 ? (
            <p className="quiet pad">{t('best.none')}</p>
          ) : (
            <ul className="lines">
              {samples.map(({ family, model }, i) => {
                const q = answers[i];
                const last = q?.data?.targets?.at(-1);
                const who = last?.taken ?? last?.candidates?.find((c) => c.verdict === 'taken' || c.verdict === 'able')?.account;
                const first = last?.candidates?.find((c) => c.account === who)?.first_ms;
                return (
                  <li key={family} className="line">
                    <Family of={family} />
                    <div>
                      <p>
                        {t(`family.${family}`)} <span className="quiet mono">{model}</span>
                      </p>
                      {q?.isPending ? (
                        <Skeleton rows={1} />
                      ) : who ? (
                        <p className="quiet">
                          <Link to="/accounts" search={{ open: who }}>
                            {who}
                          </Link>{' '}
                          {t('best.of', { n: last?.of ?? 1 })}
                          {first ? <> · {f.span(first)}</> : null}
                        </p>
                      ) : (
                        <p className="quiet">{last?.wait_ms ? t('best.wait', { time: f.left(last.wait_ms) }) : t('best.nobody')}</p>
                      )}
                    </div>
                  </li>
                );
              })}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

/** Quotas are what providers say is left, the scarcest first. */
export function Quotas() {
  const t = useT('dashboard');
  const f = useFormat();
  const q = useQuery(accounts);
  return (
    <Section title={t('quota')} id="quota">
      <Loaded query={q}>
        {(all) => {
          const rows = all.flatMap((a) => (a.quota ?? []).map((x) => ({ a, x }))).sort((p, q) => (p.x.left_percent ?? 101) - (q.x.left_percent ?? 101));
          if (rows.length === 0) return <p className="quiet pad">{t('quota.none')}</p>;
          return (
            <ul className="quotas">
              {rows.slice(0, 8).map(({ a, x }) => {
                const left = x.left_percent ?? undefined;
                const tone = x.protected || (left !== undefined && left < 10) ? 'need' : x.runs_dry ? 'wait' : 'well';
                return (
                  <li key={`${a.name} ${x.window}`} className="quota">
                    <Link to="/accounts" search={{ open: a.name }} className="clip">
                      {a.name}
                    </Link>
                    <span className="quiet mono">{x.window}</span>
                    <span className="num quota-left">{left !== undefined ? f.percent(left / 100) : x.amount != null ? f.usd(x.amount) : '–'}</span>
                    {left !== undefined ? <Meter share={left / 100} tone={tone} label={t('quota.left', { account: a.name, window: x.window, percent: f.percent(left / 100) })} /> : <span />}
                    <span className="quiet quota-note">
                      {x.runs_dry ? (
                        <>
                          <Mark tone={tone} /> {t.rich('quota.dry', { time: <Countdown until={x.runs_dry} /> })}
                        </>
                      ) : (
                        x.resets && t.rich('quota.resets', { time: <Countdown until={x.resets} /> })
                      )}
                    </span>
                  </li>
                );
              })}
            </ul>
          );
        }}
      </Loaded>
    </Section>
  );
}

/** Connect is the way to the first request. It goes when it is done or put away. */
export function Connect({ served }: { served: boolean }) {
  const t = useT('dashboard');
  const p = usePrefs();
  const navigate = useNavigate();
  const a = useQuery(accounts);
  if (p.dismissed?.includes('connect') || !a.data) return null;
  const base = `${location.origin}/v1`;
  const steps = [
    { done: own(a.data).length > 0, text: t('connect.account'), side: <Button onClick={() => void navigate({ to: '/accounts', search: { add: 'choose' } })}>{t('connect.add')}</Button> },
    { done: served, text: t('connect.client'), side: <Copyable text={base} /> },
    { done: served, text: t('connect.first'), side: null },
  ];
  if (steps.every((x) => x.done)) return null;
  return (
    <Section
      title={t('connect')}
      id="connect"
      side={
        <Button look="quiet" onClick={() => prefer({ dismissed: [...(p.dismissed ?? []), 'connect'] })}>
          {t('connect.dismiss')}
        </Button>
      }
    >
      <ol className="lines">
        {steps.map((s) => (
          <li key={s.text} className="line" data-done={s.done || undefined}>
            <Mark tone={s.done ? 'well' : 'off'} />
            <div>
              {s.text} {s.done && <span className="hidden">{t('connect.done')}</span>}
            </div>
            {!s.done && s.side}
          </li>
        ))}
      </ol>
    </Section>
  );
}

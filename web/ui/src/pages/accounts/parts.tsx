// What of an account stands in more than one place of the page.
import type { Account } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Badge, Countdown, Mark, Meter } from '../../kit';
import { groupOf, toneOf, toneOfQuota } from './data';

/** Health is the state, why, and until when. */
export function Health({ a }: { a: Account }) {
  const t = useT('accounts');
  const faults = useT('faults');
  const why = a.why && a.state !== 'ready' ? (faults.maybe(a.why) ?? a.why) : undefined;
  const troubled = (a.trouble ?? []).filter((x) => x.state !== 'ready').length;
  const limited = a.state === 'ready' && groupOf(a) === 'limited';
  return (
    <span className="health" title={a.message || undefined}>
      <Mark tone={toneOf(a)} /> {a.state === 'cooling' && a.until ? t.rich('state.cooling', { time: <Countdown until={a.until} /> }) : limited ? t('state.limited') : t(`state.${a.state}`)}
      {why && <span className="quiet">, {why}</span>}
      {limited && troubled > 0 && <span className="quiet">, {t('trouble', { n: troubled })}</span>}
      {limited && troubled === 0 && <span className="quiet">, {t('protected')}</span>}
    </span>
  );
}

/** Quotas are the windows of an account, each a bar with what is left of it. */
export function Quotas({ a, most = 2 }: { a: Account; most?: number }) {
  const t = useT('accounts');
  const f = useFormat();
  const list = a.quota ?? [];
  if (list.length === 0) return <span className="quiet">–</span>;
  return (
    <span className="windows">
      {list.slice(0, most).map((q) => {
        const left = q.left_percent ?? undefined;
        const text = left !== undefined ? f.percent(left / 100) : q.amount != null ? f.usd(q.amount) : '–';
        return (
          <span key={q.window} className="window" title={q.resets ? f.full(q.resets) : undefined}>
            <span className="quiet mono">{q.window}</span>
            {left !== undefined && <Meter share={left / 100} tone={toneOfQuota(q)} label={t('quota.left', { window: q.window, percent: text })} />}
            <span className="num">{text}</span>
          </span>
        );
      })}
      {list.length > most && <span className="quiet num">+{list.length - most}</span>}
    </span>
  );
}

/** Tags are its words; a click looks for those that have them, too. */
export function Tags({ a, most = 3 }: { a: Account; most?: number }) {
  const tags = a.tags ?? [];
  return (
    <>
      {tags.slice(0, most).map((x) => (
        <Badge key={x}>{x}</Badge>
      ))}
      {tags.length > most && <span className="quiet num">+{tags.length - most}</span>}
    </>
  );
}

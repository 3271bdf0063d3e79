import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, type KeyboardEvent, type ReactNode } from 'react';
import { api, ask, type Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { CodeBlock, Copyable, Drawer, Family, IconButton, Loaded, Mark, Tip } from '../../kit';
import { toneOf } from './columns';
import { useStory } from './story';
import { timeline, type Part } from './timeline';

export type Explained = Schemas['ExplainedRequest'];

const one = (id: string) =>
  queryOptions({
    queryKey: ['request', id],
    queryFn: ({ signal }) => ask(api.GET('/api/requests/{id}', { signal, params: { path: { id } } })),
    staleTime: Number.POSITIVE_INFINITY, // what has ended does not change
    enabled: id !== '',
  });

/** Detail is one request beside the list: what happened, where its time went, what it used. */
export function Detail({ id, onClose, onStep }: { id?: string; onClose: () => void; onStep: (by: number) => void }) {
  const t = useT('monitor');
  const last = useRef('');
  if (id) last.current = id; // it stays while the drawer goes
  const q = useQuery(one(last.current));
  const r = q.data;
  const press = (e: KeyboardEvent) => {
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[e.key];
    if (!by || e.metaKey || e.ctrlKey || e.altKey || (e.target as Element).closest('pre, input, summary')) return;
    e.preventDefault();
    onStep(by);
  };
  const title = r ? (
    <span className="detail-title">
      <Mark tone={toneOf(r)} /> <span className="num">{r.status}</span> <Family of={r.served || r.asked || ''} />
      <span className="mono clip">{r.served || r.asked || r.op}</span>
    </span>
  ) : (
    t('detail')
  );
  return (
    // What is pressed anywhere in the drawer comes by here, its head and its close button, too.
    <div className="monitor-keys" onKeyDown={press}>
      <Drawer open={id !== undefined} onClose={onClose} title={title}>
        <div className="monitor-detail">
          <div className="detail-bar">
            <Copyable text={last.current} />
            <span>
              <IconButton icon="up" label={t('newer')} onClick={() => onStep(-1)} />
              <IconButton icon="down" label={t('older')} onClick={() => onStep(1)} />
            </span>
          </div>
          <Loaded query={q} rows={8}>
            {(x) => <Body x={x} />}
          </Loaded>
        </div>
      </Drawer>
    </div>
  );
}

function Body({ x }: { x: Explained }) {
  const t = useT('monitor');
  const { summary, facts } = useStory(x);
  return (
    <>
      <p className="detail-summary">{summary}</p>
      {x.error && (
        <p className="detail-said mono" dir="auto">
          {x.error}
        </p>
      )}
      {x.explanation.advice && (
        <Part title={t('advice')}>
          <p lang="en" dir="auto">
            {x.explanation.advice}
          </p>
        </Part>
      )}
      <Part title={t('story')}>
        <ol className="detail-facts">
          {facts.map((f, i) => (
            <li key={i}>{f}</li>
          ))}
        </ol>
      </Part>
      <Times x={x} />
      <Used x={x} />
      {(x.explanation.losses ?? []).length > 0 && (
        <Part title={t('losses')}>
          <dl className="detail-list">
            {(x.explanation.losses ?? []).map((l) => (
              <div key={l.path + l.reason}>
                <dt className="mono">{l.path}</dt>
                <dd lang="en">{l.reason}</dd>
              </div>
            ))}
          </dl>
        </Part>
      )}
      <Part title={t('facts')}>
        <Facts x={x} />
      </Part>
      <CodeBlock label={t('cli')} code={`portico explain ${x.id}`} />
      <details className="detail-data">
        <summary>{t('data')}</summary>
        <CodeBlock code={JSON.stringify(x, null, 2)} />
      </details>
    </>
  );
}

function Part({ title, side, children }: { title: string; side?: ReactNode; children: ReactNode }) {
  return (
    <section className="detail-part">
      <h3>
        {title}
        {side && <span className="quiet num">{side}</span>}
      </h3>
      {children}
    </section>
  );
}

/** Times is each attempt as a bar over the time of the whole, and what is of none. */
function Times({ x }: { x: Explained }) {
  const t = useT('monitor');
  const faults = useT('faults');
  const f = useFormat();
  const l = timeline(x);
  if (l.total <= 0) return null;
  const share = (n: number) => `${(n / l.total) * 100}%`;
  const say = (p: Part) => `${t(`time.${p.kind}`)}: ${f.span(p.to - p.from)}`;
  return (
    <Part title={t('time')} side={f.span(l.total)}>
      <ol className="times">
        {(x.attempts ?? []).map((a, i) => (
          <li key={i}>
            <span className="clip">{a.account}</span>
            <span className="times-track">
              {(l.attempts[i] ?? []).map((p) => (
                <Tip key={p.kind} text={say(p)}>
                  <span className="times-part" data-kind={p.kind} role="img" aria-label={say(p)} style={{ insetInlineStart: share(p.from), inlineSize: share(p.to - p.from) }} />
                </Tip>
              ))}
            </span>
            <span className="quiet num times-note">{a.fault ? (faults.maybe(a.fault) ?? a.fault) : f.span(a.took_ns / 1e6)}</span>
          </li>
        ))}
      </ol>
      <ul className="times-legend quiet">
        {(['queue', 'wait', 'stream', 'try'] as const)
          .filter((k) => l.attempts.some((a) => a.some((p) => p.kind === k)))
          .map((k) => (
            <li key={k}>
              <span className="times-swatch" data-kind={k} />
              {t(`time.${k}`)} <b className="num">{f.span(l.attempts.flat().reduce((sum, p) => sum + (p.kind === k ? p.to - p.from : 0), 0))}</b>
            </li>
          ))}
        <li>
          <span className="times-swatch" />
          {t('time.rest')} <b className="num">{f.span(l.rest)}</b>
        </li>
      </ul>
    </Part>
  );
}

function Used({ x }: { x: Explained }) {
  const t = useT('monitor');
  const f = useFormat();
  const u = x.explanation.usage;
  if (u.total === 0) return null;
  const lines = [
    ['use.input', u.input],
    ['use.cache_read', u.cache_read],
    ['use.cache_write', u.cache_write],
    ['use.output', u.output],
    ['use.reasoning', u.reasoning],
  ] as const;
  return (
    <Part title={t('use')} side={u.cost_usd == null ? t('use.unpriced') : `${f.usd(u.cost_usd)} ${t('use.price')}`}>
      <dl className="detail-list" data-num>
        {lines
          .filter(([, n]) => n > 0)
          .map(([k, n]) => (
            <div key={k}>
              <dt>{t(k)}</dt>
              <dd className="num">{f.exact(n)}</dd>
            </div>
          ))}
        <div className="detail-sum">
          <dt>{t('use.total')}</dt>
          <dd className="num">{f.exact(u.total)}</dd>
        </div>
      </dl>
      {u.estimated && <p className="quiet">{t('use.estimated')}</p>}
    </Part>
  );
}

/** Facts are the rest of what is known, each leading to the requests that share it. */
function Facts({ x }: { x: Explained }) {
  const t = useT('monitor');
  const f = useFormat();
  const line = (name: string, value: ReactNode) =>
    value && (
      <div>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    );
  const to = (search: object, word?: string) =>
    word && (
      <Link to="/monitor" search={search} title={t('same')}>
        {word}
      </Link>
    );
  return (
    <dl className="detail-list">
      {line(t('col.time'), f.full(x.start))}
      {line(t('col.account'), to({ account: x.account }, x.account))}
      {line(t('col.key'), to({ key: x.key }, x.key))}
      {line(t('col.client'), to({ client: x.client }, x.client))}
      {line(t('col.session'), x.session && <span className="mono">{to({ session: x.session }, x.session)}</span>)}
      {line(t('col.protocol'), <span className="mono">{!x.outbound || x.outbound === x.inbound ? x.inbound : `${x.inbound} → ${x.outbound}`}</span>)}
      {line(t('fact.path'), x.path && <span className="mono">{x.path}</span>)}
      {line(t('fact.peer'), x.peer && <span className="mono">{x.peer}</span>)}
      {line(t('fact.size'), `${f.bytes(x.bytes_in)} / ${f.bytes(x.bytes_out)}`)}
      {line(t('fact.upstream'), x.upstream && <span className="mono">{x.upstream}</span>)}
      {line(t('fact.edits'), x.edits && x.edits.length > 0 && <span className="mono">{x.edits.join(', ')}</span>)}
    </dl>
  );
}

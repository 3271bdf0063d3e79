// What a place shows while there is nothing to show: it waits, it is empty, it
// failed.
import { useEffect, useState, type ReactNode } from 'react';
import { Failure } from '../api/client';
import { useT } from '../i18n';
import { Button } from './button';
import { Copyable } from './copy';
import { Icon } from './icon';

/** Skeleton stands where something will be, if it takes longer than one would notice. */
export function Skeleton({ rows = 3 }: { rows?: number }) {
  const t = useT('kit');
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" data-late={late || undefined} role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

/** EmptyState says what will be here, shows an example of it, and the one next step. */
export function EmptyState({ title, text, example, act }: { title: string; text?: ReactNode; example?: ReactNode; act?: ReactNode }) {
  return (
    <div className="empty">
      {example && (
        <div className="empty-example" aria-hidden="true" inert>
          {example}
        </div>
      )}
      <p className="empty-title">{title}</p>
      {text && <p className="quiet">{text}</p>}
      {act && <div className="empty-act">{act}</div>}
    </div>
  );
}

/** useFailure puts a failure into words: what, why, and what to do. */
export function useFailure(): (e: unknown) => { what: string; why: string; act: string; code: string } {
  const t = useT('kit');
  return (e) => {
    const f = e instanceof Failure ? e : new Failure('problem', 'page', e instanceof Error ? e.message : String(e));
    const part = f.parts.map((p) => (p.where ? `${p.where}: ${p.text}` : p.text)).join('; ');
    return {
      what: t.maybe(`failed.${f.code}`) ?? t(`failed.${f.kind === 'problem' ? 'problem' : f.kind}`),
      why: [f.message, part].filter(Boolean).join(' — '),
      act: t.maybe(`act.${f.code}`) ?? t(`act.${f.kind === 'problem' ? 'problem' : f.kind}`),
      code: f.status ? `${f.code} · ${f.status}` : f.code,
    };
  };
}

/** ErrorState is a failure in the place of what failed. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const t = useT('kit');
  const { what, why, act, code } = useFailure()(error);
  return (
    <div className="error" role="alert">
      <Icon name="warning" />
      <div>
        <p className="error-what">{what}</p>
        {why && (
          <p className="error-why" dir="auto">
            {why}
          </p>
        )}
        <p className="quiet">{act}</p>
        <p className="error-foot">
          <Copyable text={code} />
          {retry && (
            <Button look="plain" icon="refresh" onClick={retry}>
              {t('retry')}
            </Button>
          )}
        </p>
      </div>
    </div>
  );
}

/** Loaded shows a query: what it found, or why not. What was found once stays while it is asked for anew. */
export function Loaded<T>({ query, rows, children }: { query: { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown }; rows?: number; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return <Skeleton rows={rows} />;
}

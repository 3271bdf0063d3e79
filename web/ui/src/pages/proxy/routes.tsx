import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useT } from '../../i18n';
import { CodeBlock, EmptyState, Loaded, Section, Table, type Column } from '../../kit';
import { config, rules, where, type Rule } from './data';

/** Routes are what leads a name to a model, as the file has them. */
export function Routes() {
  const t = useT('proxy');
  const q = useQuery(config);
  const columns = useMemo<Column<Rule>[]>(
    () => [
      { key: 'match', head: t('route.match'), width: 'minmax(120px, 1fr)', card: 'title', fixed: true, cell: (r) => <code className="clip" title={r.match}>{r.match}</code> },
      { key: 'to', head: t('route.to'), width: 'minmax(120px, 1fr)', fixed: true, cell: (r) => <code className="clip" title={r.to.join(' → ')}>{r.to.join(' → ') || t('route.same')}</code> },
      { key: 'more', head: t('route.more'), width: 'minmax(120px, 2fr)', cell: (r) => <code className="clip quiet" title={r.more.join(' · ')}>{r.more.join(' · ') || '–'}</code> },
    ],
    [t],
  );
  return (
    <Section title={t('routes')} id="routes">
      <Loaded query={q} rows={4}>
        {(c) => {
          const groups = rules(c.keys);
          const file = c.file ?? `${c.data_dir}/portico.yaml`;
          return (
            <div className="parts">
              {groups.length === 0 && <EmptyState title={t('routes.empty')} text={t('routes.empty.text')} example={<Table id="routes" label={t('routes')} rows={[{ match: 'gpt-4o', to: ['gpt-5.1'], more: [] }]} columns={columns} rowKey={(r) => r.match} />} />}
              {groups.map((g) => (
                <div key={g.key}>
                  <p className="group">
                    <code>{g.key}</code> <span className="quiet">{where(g.source) ? t.rich('route.at', { place: <code>{where(g.source)}</code> }) : t('source.default')}</span>
                  </p>
                  <Table id="routes" label={g.key} rows={g.rules} columns={columns} rowKey={(r) => `${r.match} ${r.more.join()}`} height={g.rules.length > 20 ? '420px' : undefined} />
                </div>
              ))}
              <div>
                <p className="quiet pad">{t('routes.how')}</p>
                <CodeBlock code={'routes:\n  - match: gpt-4o\n    to: gpt-5.1\n  - match: "claude-*-haiku*"\n    to: [gemini-2.5-flash, gpt-5-mini]'} label={file} />
              </div>
            </div>
          );
        }}
      </Loaded>
    </Section>
  );
}

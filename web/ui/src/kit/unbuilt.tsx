import { useT, type Key } from '../i18n';
import { CodeBlock } from './copy';
import { PageHead } from './page';

/** Unbuilt stands for a page that does not exist yet, and says what does its work. */
export function Unbuilt({ part, commands }: { part: Key<'shell'>; commands: string }) {
  const t = useT('kit');
  const shell = useT('shell');
  return (
    <div className="page">
      <PageHead title={shell(part)} sentence={t('unbuilt')} />
      <CodeBlock code={commands} />
    </div>
  );
}

import { useEffect, useState } from 'react';
import { useT } from '../i18n';
import { copy } from '../lib/copy';
import { IconButton } from './button';
import { notify } from './toast';

/** CopyButton copies text, and says so in its place. */
export function CopyButton({ text, what }: { text: string; what?: string }) {
  const t = useT('kit');
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <IconButton
      icon={done ? 'check' : 'copy'}
      label={done ? t('copied') : what ? t('copy.what', { what }) : t('copy')}
      className="copy-button"
      data-done={done || undefined}
      onClick={async (e) => {
        e.stopPropagation();
        const ok = await copy(text);
        setDone(ok);
        if (!ok) notify({ title: t('copy.failed') });
      }}
    />
  );
}

/** CodeBlock shows what one would paste, with a button for it. */
export function CodeBlock({ code, label }: { code: string; label?: string }) {
  return (
    <figure className="code-block" dir="ltr">
      {label && <figcaption>{label}</figcaption>}
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
      <CopyButton text={code} what={label} />
    </figure>
  );
}

/** Copyable is one short text, in mono, with its button. */
export function Copyable({ text }: { text: string }) {
  return (
    <span className="copyable">
      <code className="clip">{text}</code>
      <CopyButton text={text} />
    </span>
  );
}

import { useRef } from 'react';
import { useT } from '../../i18n';
import { Button, TextArea } from '../../kit';

const most = 8 << 20; // bytes, as the API takes

/** FileText is a text that is pasted or read from a file on this computer. It is sent nowhere until its form is. */
export function FileText({ value, onChange, onTooLarge, placeholder }: { value: string; onChange: (text: string) => void; onTooLarge?: () => void; placeholder?: string }) {
  const t = useT('accounts');
  const pick = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > most) onTooLarge?.();
    else onChange(await file.text());
  };
  return (
    <div
      className="file-text"
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault();
        void read(e.dataTransfer.files[0]);
      }}
    >
      <TextArea mono value={value} rows={4} spellCheck={false} autoComplete="off" placeholder={placeholder} onChange={(e) => onChange(e.target.value)} />
      <input
        ref={pick}
        type="file"
        hidden
        onChange={(e) => {
          void read(e.target.files?.[0]);
          e.target.value = '';
        }}
      />
      <Button onClick={() => pick.current?.click()}>{t('pick')}</Button>
    </div>
  );
}

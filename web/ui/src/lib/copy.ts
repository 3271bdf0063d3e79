/**
 * copy puts text on the clipboard. On a plain-http address of the network there
 * is no clipboard for pages, so an element is selected and copied as by hand.
 */
export async function copy(text: string): Promise<boolean> {
  if (window.isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // not permitted: the old way may be
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'hidden';
  area.readOnly = true;
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  let done = false;
  try {
    done = document.execCommand('copy');
  } catch {
    done = false;
  }
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}

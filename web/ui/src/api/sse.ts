/** An event of a stream of server-sent events. */
export interface Event {
  name: string;
  id: string;
  data: string;
}

/** maxLine bounds what is held of a stream that sends no line's end. */
const maxLine = 1 << 20;

/** events reads server-sent events of a body, until it ends. */
export async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<Event> {
  const reader = (body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let name = '';
  let id = '';
  let data: string[] = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += value;
      if (rest.length > maxLine) throw new Error('a line is too long');
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) yield { name, id, data: data.join('\n') };
          name = '';
          data = [];
          continue;
        }
        const colon = line.indexOf(':');
        if (colon <= 0) continue; // a comment, or a field without a value
        const value = line.slice(colon + 1).replace(/^ /, '');
        switch (line.slice(0, colon)) {
          case 'event':
            name = value;
            break;
          case 'id':
            id = value;
            break;
          case 'data':
            data.push(value);
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

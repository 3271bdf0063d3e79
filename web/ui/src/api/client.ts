// The typed client of the admin API. All answers that are none become a Failure.
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';
import { become } from './session';

export type Schemas = components['schemas'];
export type Account = Schemas['Account'];
export type Request = Schemas['Request'];
export type Status = Schemas['Status'];
export type Overview = Schemas['Overview'];
export type Quota = Schemas['Quota'];
export type Check = Schemas['Check'];

/** What kind of failure it was: nobody answered, one must sign in, one may not, or the gateway says why. */
export type FailureKind = 'down' | 'unauthorised' | 'forbidden' | 'problem';

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    readonly code: string,
    detail: string,
    readonly status = 0,
    readonly parts: { where?: string; text: string }[] = [],
  ) {
    super(detail);
  }
}

export const api = createClient<paths>({ baseUrl: '/', querySerializer: { array: { style: 'form', explode: false } } });

api.use({
  onRequest({ request }) {
    // A page of another origin cannot set a header, so one that is there is proof.
    request.headers.set('X-Portico-CSRF', '1');
    return request;
  },
});

/** failureOf reads an answer that is none. */
export function failureOf(status: number, body: unknown): Failure {
  const p = (body && typeof body === 'object' ? body : {}) as Partial<Schemas['Problem']>;
  const kind = status === 401 ? 'unauthorised' : status === 403 ? 'forbidden' : 'problem';
  return new Failure(kind, p.code ?? `http_${status}`, p.detail ?? '', status, p.errors ?? []);
}

/** ask waits for an answer of the API, or throws a Failure. */
export async function ask<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let answer: { data?: T; error?: unknown; response: Response };
  try {
    answer = await call;
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new Failure('down', 'no_answer', '');
  }
  if (!answer.response.ok) {
    const f = failureOf(answer.response.status, answer.error);
    if (f.kind === 'unauthorised') become('out');
    throw f;
  }
  return answer.data as T;
}

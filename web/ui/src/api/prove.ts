// Calls that show who asks in the same request. A wrong password there is a
// wrong password, and not the end of the session as it is everywhere else.
import { Failure, failureOf } from './client';

export interface Proof {
  password?: string;
  token?: string;
}

/** prove makes a call with what somebody typed: the password or the admin token, whichever it is. */
export async function prove<T>(secret: string, call: (proof: Proof) => Promise<{ data?: T; error?: unknown; response: Response }>): Promise<{ data: T; response: Response }> {
  const typed = secret.trim();
  if (typed === '') return one(call({}));
  // A token that the gateway made begins with at-; one of the operator's own may be anything.
  const ways: Proof[] = [{ password: secret }, { token: typed }];
  const [first = {}, second = {}] = typed.startsWith('at-') ? ways.reverse() : ways;
  try {
    return await one(call(first));
  } catch (e) {
    if (!(e instanceof Failure && e.kind === 'unauthorised')) throw e;
    return one(call(second));
  }
}

async function one<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>) {
  let answer: { data?: T; error?: unknown; response: Response };
  try {
    answer = await call;
  } catch {
    throw new Failure('down', 'no_answer', '');
  }
  if (!answer.response.ok) throw failureOf(answer.response.status, answer.error);
  return { data: answer.data as T, response: answer.response };
}

/** One call of the admin API. */

/** An answer that takes longer than this will not come, in milliseconds. */
const ANSWER_TIMEOUT_MS = 6000;

/** A Date header knows whole seconds only: two clocks that differ by less are taken as one, in milliseconds. */
const CLOCK_SLACK_MS = 3000;

let clockOffset = 0;

/** The time on the site's machine, which is another one when the port comes through a tunnel. */
export function serverNow(): number {
  return Date.now() + clockOffset;
}

function noteClock(date: string | null): void {
  const offset = date ? Date.parse(date) - Date.now() : 0;
  clockOffset = Math.abs(offset) > CLOCK_SLACK_MS ? offset : 0;
}

/** The controller's own error, or that it cannot be reached (`status` 0). */
export class CallError extends Error {
  readonly status: number;
  readonly hint: string | undefined;

  constructor(message: string, status: number, hint?: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** @throws CallError */
export async function call<Answer>(
  token: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<Answer> {
  const isOrder = method === 'POST';
  const answer = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(isOrder && { 'content-type': 'application/json' }),
    },
    cache: 'no-store',
    credentials: 'omit',
    // An order takes as long as it takes; a question does not.
    ...(isOrder
      ? { body: JSON.stringify(body ?? {}) }
      : { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }),
  }).catch(() => {
    throw new CallError('the controller does not answer', 0);
  });
  noteClock(answer.headers.get('date'));
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json');
  const value = isJson ? JSON.parse(text) : text;
  if (answer.ok) return value;
  const { message, hint } = value.error ?? { message: `the controller answered ${answer.status}` };
  throw new CallError(message, answer.status, hint);
}

/** An error and what can be done about it, in one line. */
export function sentenceOf(error: unknown): string {
  const { message, hint } = error as CallError;
  return hint ? `${message} (${hint})` : message;
}

import { setTimeout as delay } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { NotifyTarget } from '../../config/admin-schema.ts';
import { VERSION } from '../../version.ts';
import type { Logger } from '../log.ts';
import type { EventCounters } from '../metrics/event-counters.ts';
import { type Notice, toBody } from './message.ts';

/** Limits of the attempts to deliver a notification. */
const PATIENCE = {
  attempts: 5,
  /** Before the second attempt, in milliseconds; four times as long before each further one. */
  backoffMs: 1000,
  /** For one attempt's whole answer, in milliseconds. */
  timeoutMs: 10_000,
};

/** Endings that wait for one receiver; more are dropped, since the oldest ones have said what is wrong. */
const MAX_WAITING = 20;

/** Tells one receiver, one ending after the other, so that they arrive in order. Never throws and never waits. */
export type Notify = (ending: Notice) => void;

export function createNotify(
  target: NotifyTarget,
  log: Logger,
  counters: EventCounters['notifications'],
  patience = PATIENCE,
): Notify {
  // The path of such a URL is often its password; the host says enough.
  const to = new URL(target.url).host;
  const endings = new PQueue({ concurrency: 1 });

  const fail = ({ outcome, id }: Notice, error: string) => {
    counters.failed++;
    log.error(
      { event: 'notify.failed', to, outcome, id, error },
      `could not tell ${to} of ${outcome}: ${error}`,
    );
  };

  const deliver = async (ending: Notice): Promise<void> => {
    const { outcome, id } = ending;
    for (let attempt = 1; ; attempt++) {
      const { error, final } = await post(target, ending, patience.timeoutMs);
      if (error === null) {
        counters.sent++;
        log.info({ event: 'notify.sent', to, outcome, id, attempt }, `told ${to} of ${outcome}`);
        return;
      }
      if (final || attempt === patience.attempts) return fail(ending, error);
      log.debug({ event: 'notify.retry', to, outcome, id, attempt, error }, `${to}: ${error}`);
      await delay(patience.backoffMs * 4 ** (attempt - 1));
    }
  };

  return (ending) => {
    if (!target.on.includes(ending.outcome)) return;
    const waiting = endings.size + endings.pending;
    if (waiting >= MAX_WAITING) return fail(ending, `${waiting} others wait for it`);
    void endings.add(() => deliver(ending));
  };
}

/** @returns what went wrong, or `null`; `final` when another attempt would go wrong as well */
async function post(
  { url, format }: NotifyTarget,
  ending: Notice,
  timeoutMs: number,
): Promise<{ error: string | null; final: boolean }> {
  const { address, authorization } = withoutCredentials(url);
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': `slots/${VERSION}`,
        ...authorization,
      },
      body: JSON.stringify(toBody(format, ending)),
      // A POST that follows a redirect becomes a GET, and the message is lost without a word.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel().catch(() => {});
    if (answer.ok) return { error: null, final: false };
    const { status } = answer;
    const mayPass = status >= 500 || status === 408 || status === 425 || status === 429;
    return { error: `it answered ${status}`, final: !mayPass };
  } catch (error) {
    return { error: reasonOf(error as Error, timeoutMs), final: false };
  }
}

/** Never the error's own text alone: some name the whole URL. */
function reasonOf(error: Error, timeoutMs: number): string {
  if (error.name === 'TimeoutError') return `no answer in ${timeoutMs} ms`;
  const { code } = (error.cause ?? error) as NodeJS.ErrnoException;
  return code ?? 'the connection failed';
}

/** `fetch` refuses a URL with a user and a password, which others take for basic authentication. */
function withoutCredentials(url: string): { address: URL; authorization: Record<string, string> } {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { address, authorization: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  address.username = '';
  address.password = '';
  return {
    address,
    authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
  };
}

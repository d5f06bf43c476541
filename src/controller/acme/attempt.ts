/** One try to have a certificate for a host, and what is kept of how it ended. */
import { messageOf, SlotsError } from '../../errors.ts';
import type { Ca } from './ca.ts';
import { chooseChallenge, chooseDirectory, retryDelay } from './decide.ts';
import { ChallengeFailed, runOrder } from './order.ts';
import type { CaModule, Held, KeeperParts } from './parts.ts';
import { adviceFor, CaRefusal, CaUnreachable } from './problem.ts';
import type { Failures } from './state.ts';

const DAY_MS = 86_400_000;

/** A CA that does not know the account any more (a test CA forgets everything) gets it again, once. */
export async function orderWithAccount(parts: KeeperParts, host: string, before: Held | null) {
  try {
    await orderFor(parts, host, before);
  } catch (error) {
    const isLost = error instanceof CaRefusal && error.problem.type === 'accountDoesNotExist';
    if (!isLost) throw error;
    const { acme, store } = parts;
    await store.setAccount(chooseDirectory(acme, store.host(host).failures?.count ?? 0), null);
    await orderFor(parts, host, before);
  }
}

/** Goes on with the order that stands, or with a new one. */
async function orderFor(parts: KeeperParts, host: string, before: Held | null): Promise<void> {
  const { acme, store, challenges, httpPort, log } = parts;
  const record = store.host(host);
  const directory = chooseDirectory(acme, record.failures?.count ?? 0);
  // One that stands at another CA is left to end there.
  if (record.order && record.order.directory !== directory) {
    await store.setHost(host, { ...record, order: null });
  }
  const { openCa, createKey, renewalId } = await parts.loadCa();
  const ca = await openAccount(parts, directory, { openCa, createKey });
  const challenge = chooseChallenge(httpPort, record.failures?.challenge ?? null);
  const replaces = before && record.directory === directory ? renewalId(before.pem) : null;
  const hasWindow = record.window !== null && record.window.start !== null;
  await runOrder(
    {
      host,
      acme,
      store,
      challenges,
      challenge: challenge.type,
      ca,
      createKey,
      replaces: hasWindow ? replaces : null,
      log,
    },
    directory,
  );
  await store.setHost(host, { ...store.host(host), directory });
}

async function openAccount(
  { acme, store }: KeeperParts,
  directory: string,
  { openCa, createKey }: Pick<CaModule, 'openCa' | 'createKey'>,
): Promise<Ca> {
  const { key, isNew } = await store.accountKey(directory, createKey);
  const known = store.account(directory);
  const isCurrent = known !== null && !isNew && known.email === acme.email;
  const ca = openCa(directory, { key, url: isCurrent ? known.url : null });
  if (isCurrent) return ca;
  const url = await ca.register(acme.email);
  await store.setAccount(directory, { url, email: acme.email });
  return ca;
}

export async function succeed(parts: KeeperParts, host: string, held: Held | null): Promise<void> {
  const { store, log } = parts;
  const now = Date.now();
  const record = store.host(host);
  const ordered = [...record.ordered.filter((at) => at > now - DAY_MS), now];
  await store.setHost(host, { ...record, failures: null, ordered });
  const until = held?.facts.notAfter.toISOString();
  log.info(
    { event: 'certificate.issued', host, until },
    `${host} has a certificate until ${until}`,
  );
}

export async function fail(parts: KeeperParts, host: string, cause: unknown): Promise<Failures> {
  const { store, log } = parts;
  const record = store.host(host);
  const count = (record.failures?.count ?? 0) + 1;
  const now = Date.now();
  const { error, hint, retryAfterMs } = explain(cause, host);
  const failures: Failures = {
    count,
    at: now,
    retryAt: now + retryDelay(count, retryAfterMs, Math.random()),
    askedToWait: retryAfterMs !== null,
    error,
    hint,
    challenge: cause instanceof ChallengeFailed ? cause.challenge : null,
  };
  // The disk may be what has failed.
  await store.noteHost(host, { ...record, failures });
  const retryAt = new Date(failures.retryAt).toISOString();
  log.error({ event: 'certificate.failed', host, error, hint, count, retryAt }, error);
  return failures;
}

/** In one line each. */
function explain(cause: unknown, host: string) {
  if (cause instanceof CaRefusal) {
    const { problem } = cause;
    const error = oneLine(`${host}: the CA says: ${problem.detail}`);
    return { error, hint: adviceFor(problem, host), retryAfterMs: problem.retryAfterMs };
  }
  if (cause instanceof CaUnreachable) {
    const hint = 'slots tries again by itself; look whether this machine reaches the internet';
    const error = oneLine(`${host}: the CA fails: ${cause.message}`);
    return { error, hint, retryAfterMs: cause.retryAfterMs };
  }
  const hint = cause instanceof SlotsError ? (cause.hint ?? null) : null;
  const message = messageOf(cause);
  const error = oneLine(message.startsWith(host) ? message : `${host}: ${message}`);
  return { error, hint, retryAfterMs: null };
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim();
}

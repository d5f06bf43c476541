/** Has certificates ordered and renewed, one host after the other, for as long as the controller lives. */
import type { AcmeConfig } from '../../config/tls-schema.ts';
import { messageOf, SlotsError } from '../../errors.ts';
import type { CertificateFacts } from '../../slots/certificates.ts';
import type { Logger } from '../log.ts';
import type { Ca } from './ca.ts';
import {
  chooseChallenge,
  chooseDirectory,
  nextTry,
  renewalInfoDelay,
  retryDelay,
} from './decide.ts';
import { ChallengeFailed, runOrder } from './order.ts';
import { adviceFor, CaRefusal, CaUnreachable } from './problem.ts';
import type { Challenges } from './proving.ts';
import type { Failures, HostRecord } from './state.ts';
import { type CertificateStatus, certificateStatus } from './status.ts';
import type { AcmeStore } from './store.ts';

const DAY_MS = 86_400_000;

/** Between two looks at the files and the clock at most, in milliseconds: either may change. */
const LOOK_INTERVAL_MS = 60_000;

export interface RenewResult {
  host: string;
  /** `null` when there is a new certificate. */
  error: string | null;
  hint: string | null;
}

export interface Keeper {
  /** In the order of the config. */
  status(): CertificateStatus[];
  /**
   * Orders a certificate now, whether or not it is due; for all hosts without one. Resolves when it is there or has failed.
   *
   * @throws SlotsError `NO_CERTIFICATES` for a host that is not in the config
   */
  renew(host: string | null): Promise<RenewResult[]>;
  /** Runs for ever. */
  run(): Promise<never>;
}

export interface KeeperParts {
  acme: AcmeConfig;
  /** That answers plain HTTP; `undefined` where none does. */
  httpPort: number | undefined;
  store: AcmeStore;
  challenges: Challenges;
  log: Logger;
  /** Loads what orders need, which is much and rarely needed. */
  loadCa(): Promise<CaModule>;
}

export interface CaModule {
  openCa(directory: string, account: { key: string; url: string | null }): Ca;
  createKey(): Promise<string>;
  renewalId(pem: string): string | null;
}

interface Held {
  pem: string;
  facts: CertificateFacts;
}

export async function createKeeper(parts: KeeperParts): Promise<Keeper> {
  const { acme, store, log } = parts;
  const held = new Map<string, Held | null>();
  const asked = new Map<string, PromiseWithResolvers<RenewResult>[]>();
  let ordering: string | null = null;
  let wake = Promise.withResolvers<void>();

  const look = async (host: string) => held.set(host, await store.certificate(host));
  for (const host of acme.hosts) await look(host);

  const dueAt = (host: string): number => {
    const certificate = held.get(host);
    const { failures, window, ordered, order } = store.host(host);
    const isCurrent = certificate && window?.serial === certificate.facts.serial;
    const { start, end } = isCurrent ? window : { start: null, end: null };
    return nextTry({
      certificate: certificate ? validity(certificate.facts) : null,
      failures,
      window: start === null || end === null ? null : { start, end },
      ordered,
      unfinished: order !== null,
    });
  };

  const attempt = async (host: string): Promise<RenewResult> => {
    ordering = host;
    try {
      await orderWithAccount(parts, host, held.get(host) ?? null);
      await look(host);
      await succeed(parts, host, held.get(host) ?? null);
      return { host, error: null, hint: null };
    } catch (error) {
      const failure = await fail(parts, host, error);
      return { host, error: failure.error, hint: failure.hint };
    } finally {
      ordering = null;
    }
  };

  const takeUp = async (host: string): Promise<void> => {
    const waiting = asked.get(host) ?? [];
    asked.delete(host);
    if (waiting.length === 0 && dueAt(host) > Date.now()) return;
    const { failures } = store.host(host);
    const mustWait = failures?.askedToWait && failures.retryAt > Date.now();
    const result = mustWait ? waitFor(host, failures) : await attempt(host);
    for (const { resolve } of waiting) resolve(result);
  };

  return {
    status: () =>
      acme.hosts.map((host) => {
        const certificate = held.get(host)?.facts ?? null;
        const facts = { host, certificate, isOrdering: ordering === host, nextTry: dueAt(host) };
        return certificateStatus({ ...facts, failure: store.host(host).failures }, Date.now());
      }),
    async renew(host) {
      if (host !== null && !acme.hosts.includes(host)) throw unknownHost(host, acme.hosts);
      const hosts = host === null ? acme.hosts : [host];
      const results = hosts.map((each) => {
        const result = Promise.withResolvers<RenewResult>();
        asked.set(each, [...(asked.get(each) ?? []), result]);
        return result.promise;
      });
      wake.resolve();
      return Promise.all(results);
    },
    async run() {
      for (;;) {
        wake = Promise.withResolvers();
        for (const host of acme.hosts) {
          await look(host);
          await askWindow(parts, host, held.get(host) ?? null).catch((error: Error) =>
            log.warn({ event: 'certificate.no-window', host, error: error.message }, error.message),
          );
          await takeUp(host);
        }
        if (asked.size > 0) continue;
        const next = Math.min(...acme.hosts.map(dueAt)) - Date.now();
        await sleep(Math.min(Math.max(next, 1000), LOOK_INTERVAL_MS), wake.promise);
      }
    },
  };
}

function validity({ notBefore, notAfter, serial }: CertificateFacts) {
  return { notBefore: notBefore.getTime(), notAfter: notAfter.getTime(), serial };
}

function waitFor(host: string, { error, retryAt }: Failures): RenewResult {
  const hint = `the CA is not to be asked again before ${new Date(retryAt).toISOString()}`;
  return { host, error, hint };
}

function unknownHost(host: string, hosts: string[]): SlotsError {
  return new SlotsError('NO_CERTIFICATES', `no certificate is ordered for ${host}`, {
    hint: `"proxy.tls.acme.hosts" has ${hosts.join(', ')}`,
  });
}

/** A CA that does not know the account any more (a test CA forgets everything) gets it again, once. */
async function orderWithAccount(parts: KeeperParts, host: string, before: Held | null) {
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
  const key = await store.accountKey(directory, createKey);
  const known = store.account(directory);
  const isCurrent = known !== null && known.email === acme.email;
  const ca = openCa(directory, { key, url: isCurrent ? known.url : null });
  if (isCurrent) return ca;
  const url = await ca.register(acme.email);
  await store.setAccount(directory, { url, email: acme.email });
  return ca;
}

async function succeed(parts: KeeperParts, host: string, held: Held | null): Promise<void> {
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

async function fail(parts: KeeperParts, host: string, cause: unknown): Promise<Failures> {
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

/** Asks the CA when it wants the certificate to be renewed, if that is due. */
async function askWindow(parts: KeeperParts, host: string, held: Held | null): Promise<void> {
  const { store, acme } = parts;
  const record: HostRecord = store.host(host);
  if (!held || record.directory === null) return;
  const { serial } = held.facts;
  const now = Date.now();
  if (record.window?.serial === serial && record.window.nextLookAt > now) return;
  const { openCa, createKey, renewalId } = await parts.loadCa();
  const id = renewalId(held.pem);
  const known = record.window?.serial === serial ? record.window : { start: null, end: null };
  const window = { ...known, serial, nextLookAt: now + renewalInfoDelay(null) };
  // Before the question: a CA that does not answer is not asked each minute.
  await store.setHost(host, { ...record, window });
  if (id === null) return;
  const key = await store.accountKey(record.directory, createKey);
  const info = await openCa(record.directory ?? acme.directory, { key, url: null }).renewalInfo(id);
  if (!info) return;
  const { start, end, retryAfterMs } = info;
  const nextLookAt = now + renewalInfoDelay(retryAfterMs);
  await store.setHost(host, { ...store.host(host), window: { serial, start, end, nextLookAt } });
}

/** @param until ends it early */
async function sleep(ms: number, until: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, until]);
  clearTimeout(timer);
}

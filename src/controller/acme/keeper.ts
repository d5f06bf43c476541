/** Has certificates ordered and renewed, one host after the other, for as long as the controller lives. */
import { SlotsError } from '../../errors.ts';
import { fail, orderWithAccount, succeed } from './attempt.ts';
import { isLate, nextTry } from './decide.ts';
import type { Held, KeeperParts } from './parts.ts';
import type { Failures } from './state.ts';
import { type CertificateStatus, certificateStatus, validityOf } from './status.ts';
import { askWindow } from './window.ts';

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
  /** Calls back once for each certificate that could not be renewed while a third of its life was left, or had at all. */
  onLate(listener: (late: LateCertificate) => void): void;
  /** Runs for ever. */
  run(): Promise<never>;
}

export interface LateCertificate {
  /** The certificate's serial number; `none` before the first. */
  id: string;
  host: string;
  notAfter: string | null;
  error: string;
  hint: string | null;
}

export async function createKeeper(parts: KeeperParts): Promise<Keeper> {
  const { acme, store, log } = parts;
  const held = new Map<string, Held | null>();
  const asked = new Map<string, PromiseWithResolvers<RenewResult>[]>();
  let tellLate: (late: LateCertificate) => void = () => {};
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
      certificate: certificate ? validityOf(certificate.facts) : null,
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
      await tellIfLate(host, failure);
      return { host, error: failure.error, hint: failure.hint };
    } finally {
      ordering = null;
    }
  };

  const tellIfLate = async (host: string, { error, hint }: Failures): Promise<void> => {
    const facts = held.get(host)?.facts;
    if (facts && !isLate(validityOf(facts), Date.now())) return;
    const id = facts?.serial ?? 'none';
    const record = store.host(host);
    if (record.told === id) return;
    await store.noteHost(host, { ...record, told: id });
    tellLate({ id, host, notAfter: facts?.notAfter.toISOString() ?? null, error, hint });
  };

  /** @returns whether there was something to do */
  const takeUp = async (host: string): Promise<boolean> => {
    const waiting = asked.get(host) ?? [];
    asked.delete(host);
    if (waiting.length === 0 && dueAt(host) > Date.now()) return false;
    const { failures } = store.host(host);
    const mustWait = failures?.askedToWait && failures.retryAt > Date.now();
    const result = mustWait ? waitFor(host, failures) : await attempt(host);
    for (const { resolve } of waiting) resolve(result);
    return true;
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
    onLate(listener) {
      tellLate = listener;
    },
    async run() {
      for (;;) {
        wake = Promise.withResolvers();
        let isSettled = true;
        for (const host of acme.hosts) {
          await look(host);
          await askWindow(parts, host, held.get(host) ?? null).catch((error: Error) =>
            log.warn({ event: 'certificate.no-window', host, error: error.message }, error.message),
          );
          if (await takeUp(host)) isSettled = false;
        }
        // A new certificate has a renewal window of its own.
        if (!isSettled || asked.size > 0) continue;
        const next = Math.min(...acme.hosts.map(dueAt)) - Date.now();
        await sleep(Math.min(Math.max(next, 1000), LOOK_INTERVAL_MS), wake.promise);
      }
    },
  };
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

/** @param until ends it early */
async function sleep(ms: number, until: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, until]);
  clearTimeout(timer);
}

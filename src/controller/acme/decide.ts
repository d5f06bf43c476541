/** When a certificate is ordered, from whom, and how the host is proven: values in, values out. Times in ms since 1970. */
import { createHash } from 'node:crypto';
import type { Challenge } from '../../wire/assignment.ts';
import type { Failures } from './state.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** By Let's Encrypt's limit a host may fail five times an hour: this makes four tries of the first hour. */
const FIRST_RETRY_MS = MINUTE_MS;
const RETRY_FACTOR = 4;

/** After so many failures in a row another CA is asked too. */
const FALLBACK_AFTER = 3;

/** Orders for a certificate that is missing, in a day: the first one, and one more where the store is lost. */
const ORDERS_FOR_MISSING = 2;

/** What the CA's renewal information says is asked again after this long, unless the CA says when (RFC 9773 §4.3). */
const RENEWAL_INFO_MS = 6 * HOUR_MS;

export interface Validity {
  notBefore: number;
  notAfter: number;
  /** Tells certificates apart. */
  serial: string;
}

/** When the CA wants a certificate to be renewed (RFC 9773). */
export interface RenewalWindow {
  start: number;
  end: number;
}

export interface HostFacts {
  /** `null` when there is none. */
  certificate: Validity | null;
  failures: Failures | null;
  window: RenewalWindow | null;
  /** When certificates of this host were ordered lately. */
  ordered: number[];
  /** An order is under way, which a controller that ended has left. */
  unfinished: boolean;
}

/** When the host's next order is due; in the past when it is due now. */
export function nextTry(facts: HostFacts): number {
  return Math.max(dueAt(facts), facts.failures?.retryAt ?? 0);
}

function dueAt({ certificate, window, ordered, unfinished }: HostFacts): number {
  if (unfinished) return 0;
  if (certificate) return renewAt(certificate, window);
  // A store that is lost again and again must not become an order each time.
  const recent = ordered.toSorted((a, b) => b - a)[ORDERS_FOR_MISSING - 1];
  return recent === undefined ? 0 : recent + DAY_MS;
}

/**
 * Inside the CA's window where it gives one, at a moment that differs from certificate to certificate but not from start to
 * start; else at two thirds of the lifetime.
 */
export function renewAt(certificate: Validity, window: RenewalWindow | null): number {
  const { notBefore, notAfter, serial } = certificate;
  const usual = notBefore + (2 / 3) * (notAfter - notBefore);
  if (!window) return usual;
  return window.start + share(serial) * (window.end - window.start);
}

/** From 0 to 1, the same for the same text. */
function share(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 0xffff_ffff;
}

/** Less than a third of the certificate's life is left. */
export function isLate({ notBefore, notAfter }: Validity, now: number): boolean {
  return now > notBefore + (2 / 3) * (notAfter - notBefore);
}

/**
 * How long to wait after so many failures in a row: from a minute to a day, a quarter more or less by chance, and never less
 * than the CA has asked for.
 *
 * @param random from 0 to 1
 */
export function retryDelay(failures: number, retryAfterMs: number | null, random: number): number {
  const base = Math.min(FIRST_RETRY_MS * RETRY_FACTOR ** (failures - 1), DAY_MS);
  const jittered = Math.min(base * (0.75 + random / 2), DAY_MS);
  return Math.round(Math.max(jittered, retryAfterMs ?? 0));
}

/** When to ask for the renewal information again. */
export function renewalInfoDelay(retryAfterMs: number | null): number {
  return Math.min(Math.max(retryAfterMs ?? RENEWAL_INFO_MS, MINUTE_MS), DAY_MS);
}

/** After repeated failures the CAs are asked in turns, since either may be the one that is well again. */
export function chooseDirectory(
  { directory, fallbackDirectory }: { directory: string; fallbackDirectory?: string | undefined },
  failures: number,
): string {
  if (!fallbackDirectory || failures < FALLBACK_AFTER) return directory;
  return (failures - FALLBACK_AFTER) % 2 === 0 ? fallbackDirectory : directory;
}

export type ChallengeType = Challenge['type'];

/**
 * HTTP-01 where there is a port for plain HTTP; else TLS-ALPN-01, which needs the HTTPS port only. After the CA could not
 * connect or was answered by somebody else, the other one is tried.
 *
 * @param failed how the last try was proven, if it failed because of that
 */
export function chooseChallenge(
  httpPort: number | undefined,
  failed: ChallengeType | null,
): { type: ChallengeType; why: string } {
  if (httpPort === undefined) {
    return {
      type: 'tls-alpn-01',
      why: 'there is no port for plain HTTP ("proxy.tls.redirectHttp")',
    };
  }
  if (failed === 'http-01') {
    return { type: 'tls-alpn-01', why: `HTTP-01 failed, port 80 may be closed to the CA` };
  }
  return { type: 'http-01', why: `port ${httpPort} answers plain HTTP` };
}

import type { CertificateFacts } from '../../slots/certificates.ts';
import { isLate, type Validity } from './decide.ts';

/** One certificate, as `slots certs --json` and the status have it; stable. Times are ISO 8601, UTC. */
export interface CertificateStatus {
  /** The names that it is for, or is to be for. */
  hosts: string[];
  /**
   * - `valid`: it is served
   * - `renewing`: it is served, and the next one is being ordered
   * - `ordering`: the first one is being ordered; until then a self-signed one is served
   * - `waiting`: there is none, and `lastError` says why; tried again at `nextTry`
   * - `expired`: its time is over
   */
  state: 'valid' | 'renewing' | 'ordering' | 'waiting' | 'expired';
  /** The CA's name; `null` while there is no certificate. */
  issuer: string | null;
  notBefore: string | null;
  notAfter: string | null;
  /** When the next one is ordered; `null` for files, which slots does not renew. */
  nextTry: string | null;
  /** There is none, or less than a third of its life is left. */
  isLate: boolean;
  /** Why the last try failed, in one line; `null` after one that succeeded. */
  lastError: string | null;
  /** What to do about it, in one line. */
  hint: string | null;
}

export interface StatusFacts {
  host: string;
  certificate: CertificateFacts | null;
  isOrdering: boolean;
  nextTry: number;
  failure: { error: string; hint: string | null } | null;
}

export function certificateStatus(facts: StatusFacts, now: number): CertificateStatus {
  const { certificate, failure } = facts;
  return {
    hosts: certificate && certificate.hosts.length > 0 ? certificate.hosts : [facts.host],
    state: stateOf(facts, now),
    issuer: certificate?.issuer ?? null,
    notBefore: certificate?.notBefore.toISOString() ?? null,
    notAfter: certificate?.notAfter.toISOString() ?? null,
    nextTry: new Date(Math.max(facts.nextTry, now)).toISOString(),
    isLate: !certificate || isLate(validityOf(certificate), now),
    lastError: failure?.error ?? null,
    hint: failure?.hint ?? null,
  };
}

export function validityOf({ notBefore, notAfter, serial }: CertificateFacts): Validity {
  return { notBefore: notBefore.getTime(), notAfter: notAfter.getTime(), serial };
}

function stateOf(
  { certificate, isOrdering }: StatusFacts,
  now: number,
): CertificateStatus['state'] {
  if (!certificate) return isOrdering ? 'ordering' : 'waiting';
  if (isOrdering) return 'renewing';
  return certificate.notAfter.getTime() < now ? 'expired' : 'valid';
}

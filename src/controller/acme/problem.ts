/** A CA's refusal (RFC 8555 §6.7) as a person is told of it. */

export interface Problem {
  /** Without `urn:ietf:params:acme:error:`. */
  type: string;
  /** The CA's own reason. */
  detail: string;
  /** How long the CA wants not to be asked, where it says so. */
  retryAfterMs: number | null;
}

/** A CA that refuses. */
export class CaRefusal extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'CaRefusal';
    this.problem = problem;
  }
}

/** A CA that cannot be asked, or that fails itself: what has been ordered there stands. */
export class CaUnreachable extends Error {
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'CaUnreachable';
    this.retryAfterMs = retryAfterMs;
  }
}

const PREFIX = 'urn:ietf:params:acme:error:';

/** @param body an answer's; anything that is no problem document is told by its status */
export function toProblem(body: unknown, status: number, retryAfterMs: number | null): Problem {
  const { type, detail, subproblems } = (body ?? {}) as {
    type?: unknown;
    detail?: unknown;
    subproblems?: { type?: unknown; detail?: unknown }[];
  };
  // What is wrong with the one host of the order may be said one level deeper.
  const inner = Array.isArray(subproblems) ? subproblems[0] : undefined;
  const kind = [inner?.type, type].find((each) => typeof each === 'string');
  const reason = [inner?.detail, detail].find((each) => typeof each === 'string');
  return {
    type: kind === undefined ? 'unknown' : String(kind).replace(PREFIX, ''),
    detail: reason === undefined ? `it answered ${status}` : String(reason),
    retryAfterMs,
  };
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds, or `null`. */
export function parseRetryAfter(field: unknown, now: number): number | null {
  if (typeof field !== 'string' || field === '') return null;
  if (/^\d+$/.test(field)) return Number(field) * 1000;
  const at = Date.parse(field);
  return Number.isNaN(at) ? null : Math.max(at - now, 0);
}

/** How the host is proven may be what is wrong. */
export function concernsChallenge({ type }: Problem): boolean {
  return ['connection', 'unauthorized', 'incorrectResponse', 'tls'].includes(type);
}

/** The remedy. */
export function adviceFor({ type, detail }: Problem, host: string): string | null {
  // Some say of a name that they cannot look up that they cannot connect (Pebble 2.4).
  switch (/no such host|NXDOMAIN|SERVFAIL/i.test(detail) ? 'dns' : type) {
    case 'dns':
      return `let the DNS entries (A, AAAA) of ${host} point to this machine`;
    case 'connection':
      return `open the ports 80 and 443 of this machine to the internet, and look whether the DNS entries (A, AAAA) of ${host} are its addresses`;
    case 'unauthorized':
    case 'incorrectResponse':
    case 'tls':
      return `somebody else answers for ${host}: let its DNS entries (A, AAAA) point to this machine, and to no other`;
    case 'caa':
      return `a CAA entry in the DNS of ${host}, or of a domain above it, keeps this CA out: add the CA to it or remove it`;
    case 'rateLimited':
      return 'the CA limits how often it may be asked: wait, and try with its staging directory meanwhile';
    case 'rejectedIdentifier':
    case 'unsupportedIdentifier':
      return `this CA gives no certificate for ${host}: take it out of "proxy.tls.acme.hosts"`;
    case 'invalidContact':
    case 'unsupportedContact':
      return 'correct "proxy.tls.acme.email"';
    case 'externalAccountRequired':
      return 'this CA wants an account that was made elsewhere, which slots cannot use: choose another "directory"';
    case 'invalidProfile':
      return 'correct "proxy.tls.acme.profile"';
    case 'userActionRequired':
      return "the CA's terms of service have changed: read and accept them as its message says";
    default:
      return null;
  }
}

import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isSame } from '../admin/guard.ts';

/** Proof of a git host that it knows the secret. */
export type Proof =
  /** The secret itself, which tells nothing about the body. */
  | { kind: 'token'; value: string }
  /** HMAC-SHA256 of `prefix` and the body; any of `values` will do. */
  | { kind: 'signature'; values: string[]; encoding: 'hex' | 'base64'; prefix: string };

/** A signed timestamp may be so old, in milliseconds: after that a call that somebody recorded is worth nothing. */
const TIMESTAMP_TOLERANCE_MS = 5 * 60_000;

/** `sha256=<hex>`: GitHub in the first, Bitbucket in the second, where GitHub has a SHA-1 that is not taken. */
const PREFIXED = ['x-hub-signature-256', 'x-hub-signature'];

/** `<hex>`: Forgejo, Gitea, Gogs. */
const BARE = ['x-forgejo-signature', 'x-gitea-signature', 'x-gogs-signature'];

/**
 * @param now milliseconds since 1970
 * @returns `null` for a call that shows no proof
 */
export function proofOf(headers: IncomingHttpHeaders, now = Date.now()): Proof | null {
  const field = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const hex = (value: string): Proof => ({
    kind: 'signature',
    values: [value.toLowerCase()],
    encoding: 'hex',
    prefix: '',
  });
  for (const name of PREFIXED) {
    const value = field(name);
    if (value?.startsWith('sha256=')) return hex(value.slice('sha256='.length));
  }
  for (const name of BARE) {
    const value = field(name);
    if (value !== null) return hex(value);
  }
  const standard = standardProof(field, now);
  if (standard) return standard;
  const token = field('x-gitlab-token');
  return token === null ? null : { kind: 'token', value: token };
}

/** GitLab's signing token, by the Standard Webhooks specification: `v1,<base64>`, more than one while a key changes. */
function standardProof(field: (name: string) => string | null, now: number): Proof | null {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    field(`webhook-${name}`),
  );
  if (!id || !timestamp || !signatures) return null;
  if (!(Math.abs(now - Number(timestamp) * 1000) <= TIMESTAMP_TOLERANCE_MS)) return null;
  const values = signatures
    .split(' ')
    .filter((value) => value.startsWith('v1,'))
    .map((value) => value.slice('v1,'.length));
  return { kind: 'signature', values, encoding: 'base64', prefix: `${id}.${timestamp}.` };
}

/** Checks a proof while the body comes in, so that no body has to be kept. */
export interface ProofCheck {
  /** @param chunk as it came, byte for byte: parsed and printed again it would be another one */
  update(chunk: Buffer): void;
  isGenuine(): boolean;
}

export function createProofCheck(proof: Proof, secret: string): ProofCheck {
  if (proof.kind === 'token') {
    return { update() {}, isGenuine: () => isSame(proof.value, secret) };
  }
  const { values, encoding, prefix } = proof;
  // Standard Webhooks writes a key in base64, after this.
  const isEncoded = encoding === 'base64' && secret.startsWith('whsec_');
  const key = isEncoded ? Buffer.from(secret.slice('whsec_'.length), 'base64') : secret;
  const hmac = createHmac('sha256', key).update(prefix);
  return {
    update: (chunk) => void hmac.update(chunk),
    isGenuine() {
      const wanted = hmac.digest(encoding);
      return values.some((value) => isSame(value, wanted));
    },
  };
}

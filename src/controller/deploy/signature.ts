import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isSame } from '../admin/guard.ts';

/** Proof of a git host that it knows the secret. */
export interface Proof {
  kind: 'signature' | 'token';
  value: string;
}

/** GitHub's, Gitea's (and Forgejo's and Gogs') signature of the body, or GitLab's copy of the secret itself. */
export function proofOf(headers: IncomingHttpHeaders): Proof | null {
  const github = textOf(headers['x-hub-signature-256']);
  if (github?.startsWith('sha256=')) {
    return { kind: 'signature', value: github.slice('sha256='.length) };
  }
  const gitea = textOf(headers['x-gitea-signature']) ?? textOf(headers['x-gogs-signature']);
  if (gitea !== null) return { kind: 'signature', value: gitea };
  const gitlab = textOf(headers['x-gitlab-token']);
  return gitlab === null ? null : { kind: 'token', value: gitlab };
}

/** @param body as it came, byte for byte: parsed and printed again it would be another one */
export function isGenuine({ kind, value }: Proof, body: Buffer, secret: string): boolean {
  if (kind === 'token') return isSame(value, secret);
  const wanted = createHmac('sha256', secret).update(body).digest('hex');
  return isSame(value.toLowerCase(), wanted);
}

function textOf(field: string | string[] | undefined): string | null {
  return typeof field === 'string' && field !== '' ? field : null;
}

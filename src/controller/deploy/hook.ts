import type { IncomingMessage } from 'node:http';
import { SlotsError } from '../../errors.ts';
import { readBody } from '../admin/body.ts';
import type { Logger } from '../log.ts';
import type { Deployed } from './deploy.ts';
import { isGenuine, proofOf } from './signature.ts';

export interface HookLimits {
  /** A push of very many commits has a long list of them, which nobody reads here. */
  bodyBytes: number;
  /** Calls whose body is being read: nobody knows yet who they are from. */
  reading: number;
  /** For the whole body, in milliseconds. */
  bodyTimeoutMs: number;
  /** Calls a minute that are looked at. */
  perMinute: number;
  /** Denied calls a minute that are logged: strangers must not fill the disk. */
  loggedPerMinute: number;
}

const LIMITS: HookLimits = {
  bodyBytes: 5 * 1024 * 1024,
  reading: 4,
  bodyTimeoutMs: 15_000,
  perMinute: 60,
  loggedPerMinute: 10,
};

export type GitHook = (request: IncomingMessage) => Promise<Deployed>;

/**
 * `POST /hooks/git`: a git host says that something was pushed. What it says is not read, only who says it:
 * the clone's own remote is asked what there is.
 */
export function createGitHook(
  secret: string,
  deploy: () => Promise<Deployed>,
  log: Logger,
  limits = LIMITS,
): GitHook {
  const allow = createAllowance(limits.perMinute);
  const mayLog = createAllowance(limits.loggedPerMinute);
  let reading = 0;

  const denied = (why: string): SlotsError => {
    const said = `a call of the git webhook was denied: ${why}`;
    if (mayLog()) log.warn({ event: 'deploy.denied', error: why }, said);
    return new SlotsError('UNAUTHORIZED', `this call is not from the git host: ${why}`, {
      hint: 'set the same secret in "deploy.secret" and at the git host',
    });
  };

  const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
    reading++;
    const timer = setTimeout(() => request.destroy(), limits.bodyTimeoutMs);
    try {
      return await readBody(request, limits.bodyBytes);
    } finally {
      clearTimeout(timer);
      reading--;
    }
  };

  return async (request) => {
    const proof = proofOf(request.headers);
    if (proof === null) throw denied('it is not signed');
    if (reading >= limits.reading || !allow()) {
      throw new SlotsError('TOO_MANY_CALLS', 'too many calls of this webhook');
    }
    const body = await bodyOf(request);
    if (!isGenuine(proof, body, secret)) throw denied('it does not know the secret');
    return deploy();
  };
}

/** So many at once, and so many a minute after that. */
function createAllowance(perMinute: number): () => boolean {
  let left = perMinute;
  let at = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(perMinute, left + ((now - at) / 60_000) * perMinute);
    at = now;
    if (left < 1) return false;
    left--;
    return true;
  };
}

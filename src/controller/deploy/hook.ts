import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { SlotsError } from '../../errors.ts';
import { readChunks } from '../admin/body.ts';
import type { Logger } from '../log.ts';
import { callerOf } from './caller.ts';
import type { Deployed } from './deploy.ts';
import { createAllowance, createPlaces } from './limits.ts';
import { createProofCheck, proofOf } from './signature.ts';

export interface HookLimits {
  /** A push of very many commits has a long list of them, which nobody reads here. */
  bodyBytes: number;
  /** Bodies of one caller that are read at a time, before it is known who sends them. */
  readingPerCaller: number;
  /** Bodies of all callers together. None is kept in memory: a place costs a connection. */
  readingInAll: number;
  /** For the whole body, in milliseconds. */
  bodyTimeoutMs: number;
  /** Genuine calls of one caller a minute: whoever has recorded one may send it again and again. */
  genuinePerMinute: number;
  /** Denied calls a minute that are logged: strangers must not fill the disk. */
  loggedPerMinute: number;
}

const LIMITS: HookLimits = {
  bodyBytes: 5 * 1024 * 1024,
  readingPerCaller: 4,
  readingInAll: 64,
  bodyTimeoutMs: 15_000,
  genuinePerMinute: 60,
  loggedPerMinute: 10,
};

export interface GitHookParts {
  secret: string;
  /** Reverse proxies whose word about a caller's address is taken. */
  trusted: BlockList;
  deploy: () => Promise<Deployed>;
  log: Logger;
}

export type GitHook = (request: IncomingMessage) => Promise<Deployed>;

/**
 * `POST /hooks/git`: a git host says that something was pushed. Its body is not read for what it says, only for its
 * signature: the clone's own remote is asked what there is. A call costs an allowance only once it is known to be
 * genuine, so that strangers use up nothing of the git host's.
 */
export function createGitHook(
  { secret, trusted, deploy, log }: GitHookParts,
  limits = LIMITS,
): GitHook {
  const places = createPlaces(limits.readingPerCaller, limits.readingInAll);
  const allow = createAllowance(limits.genuinePerMinute);
  const mayLog = createAllowance(limits.loggedPerMinute);

  const denied = (why: string): SlotsError => {
    const said = `a call of the git webhook was denied: ${why}`;
    if (mayLog('')) log.warn({ event: 'deploy.denied', error: why }, said);
    return new SlotsError('UNAUTHORIZED', `this call is not from the git host: ${why}`, {
      hint: 'set the same secret in "deploy.secret" and at the git host',
    });
  };

  const read = async (request: IncomingMessage, onChunk: (chunk: Buffer) => void) => {
    const cut = () => request.destroy();
    const giveBack = places.take(callerOf(request, trusted), cut);
    const timer = setTimeout(cut, limits.bodyTimeoutMs);
    try {
      await readChunks(request, limits.bodyBytes, onChunk);
    } finally {
      clearTimeout(timer);
      giveBack();
    }
  };

  return async (request) => {
    const proof = proofOf(request.headers);
    if (proof === null) throw denied('it is not signed');
    const check = createProofCheck(proof, secret);
    // The secret itself needs no body to be checked.
    if (proof.kind === 'token' && !check.isGenuine()) throw denied('it does not know the secret');
    await read(request, check.update);
    if (!check.isGenuine()) throw denied('it does not know the secret');
    if (!allow(callerOf(request, trusted))) {
      throw new SlotsError('TOO_MANY_CALLS', 'too many calls of this webhook');
    }
    return deploy();
  };
}

/** One order, from where it stands to the certificate on disk. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Authorization } from 'acme-client';
import type { AcmeConfig } from '../../config/tls-schema.ts';
import type { Logger } from '../log.ts';
import type { Ca, CaOrder, Proof } from './ca.ts';
import type { ChallengeType } from './decide.ts';
import { CaRefusal, CaUnreachable, concernsChallenge, type Problem, toProblem } from './problem.ts';
import type { Challenges } from './proving.ts';
import type { Order } from './state.ts';
import type { AcmeStore } from './store.ts';

/** How often the CA is asked how far it is, and how long it may take for one step, in milliseconds. */
const POLL_MIN_MS = 250;
const POLL_MAX_MS = 5000;
const STEP_TIMEOUT_MS = 180_000;

/** Of orders that are not there any more (RFC 8555 §7.1.3), or that the CA has given up. */
const GONE = 'orderGone';

export interface OrderParts {
  host: string;
  acme: AcmeConfig;
  store: AcmeStore;
  challenges: Challenges;
  challenge: ChallengeType;
  ca: Ca;
  createKey(): Promise<string>;
  /** See `PlaceOptions`. */
  replaces: string | null;
  log: Logger;
}

/** A host that could not be shown to be ours, in this way. */
export class ChallengeFailed extends CaRefusal {
  readonly challenge: ChallengeType;

  constructor(problem: Problem, challenge: ChallengeType) {
    super(problem);
    this.challenge = challenge;
  }
}

/**
 * Takes the order up where it stands and goes on to its end. Each phase is on disk before its work begins, so that a controller
 * that is killed goes on with the same order at the CA; only while it is placed its URL can be lost.
 *
 * @throws CaRefusal, after which the order is given up unless it is for asking too often; CaUnreachable or whatever else, after which it stands
 */
export async function runOrder(parts: OrderParts, directory: string): Promise<void> {
  const { host, store, log } = parts;
  const save = (order: Order | null) => store.setHost(host, { ...store.host(host), order });
  let order: Order = store.host(host).order ?? { phase: 'placing', directory };
  try {
    while (order !== null) {
      await save(order);
      log.info({ event: 'certificate.order', host, phase: order.phase }, `${host}: ${order.phase}`);
      const next: Order | null = await advance(parts, order);
      if (next === null) return;
      order = next;
    }
  } catch (error) {
    // What the CA has refused is over; whatever else went wrong, the order there can still be fulfilled.
    if (isRefusal(error) || order.phase === 'placing') await save(null);
    throw error;
  }
}

/** One that asked too often (RFC 8555 §6.6) is to come back to the same order: the next one would count as well. */
function isRefusal(error: unknown): boolean {
  return error instanceof CaRefusal && error.problem.type !== 'rateLimited';
}

/** @returns the next phase, or `null` after the last */
async function advance(parts: OrderParts, order: Order): Promise<Order | null> {
  const { host, acme, store, ca, challenge } = parts;
  const { directory } = order;
  if (order.phase === 'placing') {
    // The key comes first: an order that is placed must not wait for a disk that is full.
    await store.nextKey(host, parts.createKey);
    const url = await place(parts, acme.profile);
    return { phase: 'proving', directory, url, challenge };
  }
  const { url } = order;
  const placed = await ca.order(url);
  if (order.phase === 'proving') {
    if (placed.status === 'pending') await prove(parts, placed, order.challenge);
    return { phase: 'finalizing', directory, url };
  }
  if (order.phase === 'finalizing') {
    const ready = await settledOrder(parts, url, ['pending']);
    const key = await store.nextKey(host, parts.createKey);
    if (ready.status === 'ready') await ca.finalize(ready, host, key);
    return { phase: 'collecting', directory, url };
  }
  await collect(parts, url);
  return null;
}

/** A CA that has renewed a certificate already, or does not know it, takes the order without that (RFC 9773 §5). */
async function place({ ca, host, replaces }: OrderParts, profile: string | undefined) {
  try {
    return await ca.place({ host, profile, replaces });
  } catch (error) {
    const { type } = error instanceof CaRefusal ? error.problem : { type: '' };
    if (replaces === null || !['alreadyReplaced', 'conflict', 'malformed'].includes(type))
      throw error;
    return ca.place({ host, profile, replaces: null });
  }
}

/** Shows the CA each name of the order, which has but one. */
async function prove(parts: OrderParts, placed: CaOrder, wanted: ChallengeType): Promise<void> {
  const { ca, host, challenges } = parts;
  for (const authorization of await ca.authorizations(placed)) {
    if (authorization.status === 'valid') continue;
    const { proof, type } = await proofFor(ca, authorization, wanted);
    const remove = await challenges.place(
      proof.tls
        ? { type: 'tls-alpn-01', host, ...proof.tls }
        : { type: 'http-01', host, token: proof.token, answer: proof.answer },
    );
    try {
      await tell(ca, proof);
      await settledAuthorization(ca, placed, authorization.url, type);
    } finally {
      remove();
    }
  }
}

/** A controller that was killed may have told the CA already, which takes it once. */
async function tell(ca: Ca, proof: Proof): Promise<void> {
  try {
    await ca.tell(proof);
  } catch (error) {
    if (!(error instanceof CaRefusal) || error.problem.type !== 'malformed') throw error;
  }
}

async function proofFor(ca: Ca, authorization: Authorization, wanted: ChallengeType) {
  const other: ChallengeType = wanted === 'http-01' ? 'tls-alpn-01' : 'http-01';
  for (const type of [wanted, other]) {
    const proof = await ca.proof(authorization, type);
    if (proof) return { proof, type };
  }
  const detail = 'it offers neither HTTP-01 nor TLS-ALPN-01';
  throw new CaRefusal({ type: 'unsupportedIdentifier', detail, retryAfterMs: null });
}

async function settledAuthorization(
  ca: Ca,
  order: CaOrder,
  url: string,
  type: ChallengeType,
): Promise<void> {
  await poll(async () => {
    const authorization = (await ca.authorizations(order)).find((each) => each.url === url);
    if (authorization?.status === 'pending') return null;
    if (authorization?.status === 'valid') return true;
    const failed = authorization?.challenges.find((each) => 'error' in each && each.error);
    const { error } = (failed ?? {}) as { error?: object };
    const problem = toProblem(error, 0, null);
    if (!error) problem.detail = `it says that the host is ${authorization?.status ?? 'unknown'}`;
    throw concernsChallenge(problem) ? new ChallengeFailed(problem, type) : new CaRefusal(problem);
  });
}

/** The order once it is in none of these states. */
function settledOrder({ ca }: OrderParts, url: string, pending: string[]): Promise<CaOrder> {
  return poll(async () => {
    const order = await ca.order(url);
    if (pending.includes(order.status)) return null;
    if (order.status !== 'invalid') return order;
    const { error } = order as { error?: object };
    const problem = toProblem(error, 0, null);
    if (!error) Object.assign(problem, { type: GONE, detail: 'it has given the order up' });
    throw new CaRefusal(problem);
  });
}

async function collect(parts: OrderParts, url: string): Promise<void> {
  const { host, store, ca, createKey } = parts;
  const order = await settledOrder(parts, url, ['pending', 'ready', 'processing']);
  const chain = await ca.certificate(order);
  const key = await store.nextKey(host, createKey);
  if (!new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))) {
    const detail = 'the key that the order began with is lost';
    throw new CaRefusal({ type: 'keyLost', detail, retryAfterMs: null });
  }
  await store.setCertificate(host, chain, key);
  const record = store.host(host);
  await store.setHost(host, { ...record, order: null });
  await store.dropNextKey(host);
}

/** @param ask gives `null` while there is nothing to say yet */
async function poll<T>(ask: () => Promise<T | null>): Promise<T> {
  const deadline = performance.now() + STEP_TIMEOUT_MS;
  for (let wait = POLL_MIN_MS; ; wait = Math.min(wait * 1.5, POLL_MAX_MS)) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new CaUnreachable('it is not done after 3 minutes');
    await delay(wait);
  }
}

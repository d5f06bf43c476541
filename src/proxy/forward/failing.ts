/** The steps of an exchange whose attempt has failed: the request is sent again, or the visitor is told. */
import type { Slot } from '../../slots/slot.ts';
import { countAnswer } from '../metrics/counters.ts';
import { sendSoon } from '../send-soon.ts';
import { BadAnswer } from '../slot/answer-head.ts';
import { wasLost, wasRefused } from '../slot/failure.ts';
import { ANY_INSTANCE } from '../slot/instances.ts';
import type { ErrorAnswer } from '../visitor/error-answer.ts';
import { breakOff } from '../visitor/response.ts';
import { answerStored } from './answering.ts';
import type { ExchangeState } from './exchange-state.ts';
import { explainSlotFault, explainVisitorFault } from './explain.ts';
import { enterPlace, leavePlace } from './place.ts';
import { type NextAttempt, nextAttempt } from './retry.ts';

export function fail(exchange: ExchangeState, error: Error): void {
  const { response } = exchange;
  // Once the head is out nothing can be taken back: the broken connection is the message.
  if (response.headersSent) {
    exchange.fill?.drop();
    if (!response.writableEnded) breakOff(response);
    return;
  }
  const next = chooseNext(exchange, error);
  if (next !== null) sendAgain(exchange, next);
  else answerFailure(exchange, error);
}

function answerFailure(exchange: ExchangeState, error: Error): void {
  const own = explainVisitorFault(error);
  if (own) answerError(exchange, own);
  else answerSlotFault(exchange, explain(exchange, error));
}

/** The slot has failed: what is stored is better than an error (RFC 5861 §4). */
export function answerSlotFault(exchange: ExchangeState, answer: ErrorAnswer): void {
  const served = exchange.fill?.fail();
  if (served) answerStored(exchange, served);
  else answerError(exchange, answer);
}

/** Answers in the slot's place. */
function answerError(exchange: ExchangeState, answer: ErrorAnswer): void {
  const { context, request, response } = exchange;
  exchange.phase = 'answering';
  // The slot has no more to do with it, however long the visitor takes to read this.
  leavePlace(exchange);
  exchange.upload?.stop();
  countAnswer(exchange.traffic, answer.status, performance.now() - exchange.startedAt);
  if (context.stopping()) response.shouldKeepAlive = false;
  context.errors.send(request, response, answer);
}

function chooseNext(exchange: ExchangeState, error: Error): NextAttempt | null {
  if (exchange.phase === 'answering' || exchange.timesInformed > 0) return null;
  const { refusedAt } = exchange;
  const refused = wasRefused(error);
  const attempt = {
    method: exchange.method,
    hasBody: exchange.upload !== null,
    refused,
    lost: wasLost(error),
    sentBefore: exchange.timesSent > 1,
    refusedForMs: refusedAt === null ? null : performance.now() - refusedAt,
  };
  const next = nextAttempt(attempt, exchange.slot, exchange.context.fallback(exchange.slot));
  if (refused) exchange.refusedAt ??= performance.now();
  // What is stored is better than waiting, too (RFC 5861 §4).
  return next?.kind === 'wait' && exchange.fill?.canStandIn() ? null : next;
}

function sendAgain(exchange: ExchangeState, { kind, slot, afterMs }: NextAttempt): void {
  const { counters } = exchange.context;
  exchange.phase = 'queued';
  if (kind === 'retry') counters.retries++;
  if (kind === 'fail-over') counters.failovers++;
  if (afterMs > 0) setTimeout(() => goTo(exchange, slot), afterMs);
  else goTo(exchange, slot);
}

function goTo(exchange: ExchangeState, slot: Slot): void {
  // The visitor may have gone while the request waited.
  if (exchange.phase !== 'queued') return;
  if (slot !== exchange.slot) {
    moveTo(exchange, slot);
    return;
  }
  // The death of one idle connection may be the death of all of them, so the second attempt takes a new one.
  exchange.over = 'new';
  sendSoon(exchange);
}

function moveTo(exchange: ExchangeState, slot: Slot): void {
  const { inflight, traffic } = exchange.context;
  leavePlace(exchange);
  inflight.enter(slot);
  inflight.leave(exchange.slot);
  exchange.slot = slot;
  exchange.instance = ANY_INSTANCE;
  exchange.traffic = traffic[slot];
  enterPlace(exchange);
}

function explain(exchange: ExchangeState, error: Error): ErrorAnswer {
  exchange.context.counters.upstreamErrors[exchange.slot]++;
  if (error instanceof BadAnswer) exchange.context.onBadAnswer(exchange.slot, error);
  return explainSlotFault(error);
}

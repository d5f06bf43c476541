import type { ProxyLimits } from '../../config/proxy-schema.ts';
import type { PerSlot, Slot } from '../../slots/slot.ts';
import type { Counters, Traffic } from '../../wire/messages.ts';
import type { Compression } from '../compress/compression.ts';
import type { Inflight } from '../metrics/inflight.ts';
import type { KeptFiles } from '../skew/kept-files.ts';
import type { SlotConnections } from '../slot/connections.ts';
import type { ErrorAnswers } from '../visitor/error-answer.ts';
import type { Limiter } from './limiter.ts';

/** The parts of the worker that an exchange uses. */
export interface ExchangeContext {
  /** That the slots listen on. */
  ports: PerSlot<number>;
  slotClients: PerSlot<SlotConnections>;
  limiters: PerSlot<Limiter>;
  inflight: Inflight;
  counters: Counters;
  /** Where what is routed to a slot now is counted. */
  traffic: PerSlot<Traffic>;
  limits: ProxyLimits;
  errors: ErrorAnswers;
  /** The release that a slot serves, for `x-slots-release`; `null` when it is not to be told. */
  release(slot: Slot): string | null;
  /** The value of `Strict-Transport-Security`, or `null` without it. */
  hsts: string | null;
  /** The slot to try when this one refuses, or `null`. */
  fallback(refused: Slot): Slot | null;
  /** Files of earlier releases, for visitors whose page is of one; `null` where none are kept. */
  keptFiles: KeptFiles | null;
  /** `null` where answers go out as they come (`proxy.compress`). */
  compression: Compression | null;
  /** Whether visitors stay with one instance (`proxy.affinity`). */
  keepsInstance: boolean;
  /** Whether the worker is about to stop, so that each connection's next answer is its last. */
  stopping(): boolean;
  /** A slot has answered what no visitor can be given. */
  onBadAnswer(slot: Slot, error: Error): void;
  /** Something was thrown that should not have been: the exchange has been ended, and nothing else. */
  onFault(error: Error): void;
}

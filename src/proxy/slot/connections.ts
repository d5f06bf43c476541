import { sendSoon } from '../send-soon.ts';
import type { SlotRequest } from './call.ts';
import { Connection, type ConnectionLimits } from './connection.ts';

/**
 * Idle connections to a slot are given up before the slot does it: Node's servers close theirs after 5 s, and
 * a request sent at that instant would be lost (nodejs/node #47130).
 */
export const KEEP_ALIVE_MS = 4000;

/** Before the slot's own hint (`Keep-Alive: timeout=5`) runs out, in milliseconds. */
export const KEEP_ALIVE_MARGIN_MS = 1000;

/** How often idle connections of no more use are closed. */
const SWEEP_MS = 1000;

/** The connections to one slot that are kept between requests. */
export interface SlotConnections {
  /**
   * Sends a request without a body, and calls its handler as undici would.
   *
   * @param over a connection that may have been used before, or one that has not
   */
  send(request: SlotRequest, over: 'kept' | 'new'): void;
}

export function createSlotConnections(port: number, limits: ConnectionLimits): SlotConnections {
  /** The one that was used last comes last and goes first, so that what is not needed grows old. */
  let idle: Connection[] = [];
  let timer: NodeJS.Timeout | null = null;

  const sweep = () => {
    const now = performance.now();
    const rest: Connection[] = [];
    for (const connection of idle) {
      if (!connection.isOpen) continue;
      if (now < connection.usableUntil) rest.push(connection);
      else connection.close();
    }
    idle = rest;
    if (idle.length > 0) return;
    clearInterval(timer as NodeJS.Timeout);
    timer = null;
  };

  const keep = (connection: Connection, hint: string | undefined) => {
    const ms = keepAliveMs(hint);
    if (ms <= 0) return connection.close();
    connection.usableUntil = performance.now() + ms;
    idle.push(connection);
    timer ??= setInterval(sweep, SWEEP_MS).unref();
  };

  const takeIdle = (): Connection | null => {
    const now = performance.now();
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) {
      if (one.isOpen && now < one.usableUntil) return one;
      one.close();
    }
    return null;
  };

  const sendNow = (request: SlotRequest, over: 'kept' | 'new') => {
    const kept = over === 'kept' ? takeIdle() : null;
    if (kept) kept.send(request);
    else new Connection(limits, keep).open(port, request);
  };

  return {
    send: (request, over) => sendSoon({ sendNow: () => sendNow(request, over) }),
  };
}

/** How long a connection may be kept, by what its slot said of that. */
function keepAliveMs(hint: string | undefined): number {
  if (hint === undefined) return KEEP_ALIVE_MS;
  const seconds = /(?:^|[\s,])timeout=(\d+)/i.exec(hint)?.[1];
  if (seconds === undefined) return KEEP_ALIVE_MS;
  return Math.min(KEEP_ALIVE_MS, Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS);
}

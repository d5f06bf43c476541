import { createLiveSet } from '../live-set.ts';
import type { SlotCall } from './call.ts';
import type { Address } from './connect.ts';
import { type ConnectionLimits, SlotConnection } from './connection.ts';

/**
 * Idle connections to a slot are given up before the slot does it: Node's servers close theirs after 5 s, and
 * a request sent at that instant would be lost (nodejs/node #47130).
 */
const KEEP_ALIVE_MS = 4000;

/** Before the slot's own hint (`Keep-Alive: timeout=5`) runs out, in milliseconds. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** How often idle connections of no more use are closed. */
const SWEEP_MS = 1000;

/** Over a connection that may have been used before, or one that has not. */
export type Over = 'kept' | 'new';

/** The connections to one address, kept between requests. */
export interface SlotConnections {
  /** @param refused is told in the call's place when no connection is made */
  send(call: SlotCall, over: Over, refused?: (error: Error) => void): void;
  /** How many calls are on a connection, or wait for one. */
  busy(): number;
  /** Ends the connections whose calls are over or elsewhere and have not said so; how many there were. */
  endLeaked(): number;
}

export function createSlotConnections(address: Address, limits: ConnectionLimits): SlotConnections {
  /** The one that was used last comes last and goes first, so that what is not needed grows old. */
  let idle: SlotConnection[] = [];
  let timer: NodeJS.Timeout | null = null;
  const taken = createLiveSet<SlotConnection>();

  const sweep = () => {
    const now = performance.now();
    const rest: SlotConnection[] = [];
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

  const owner = {
    onIdle(connection: SlotConnection, hint: string | undefined) {
      const ms = keepAliveMs(hint);
      if (ms <= 0) return connection.close();
      connection.usableUntil = performance.now() + ms;
      idle.push(connection);
      timer ??= setInterval(sweep, SWEEP_MS).unref();
    },
    onFree(connection: SlotConnection) {
      taken.remove(connection);
    },
  };

  const takeIdle = (): SlotConnection | null => {
    const now = performance.now();
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) {
      if (one.isOpen && now < one.usableUntil) return one;
      one.close();
    }
    return null;
  };

  return {
    send(call, over, refused) {
      const kept = over === 'kept' ? takeIdle() : null;
      const connection = kept ?? new SlotConnection(limits, owner);
      taken.add(connection);
      if (kept) connection.send(call);
      else connection.open(address, call, refused);
    },
    busy: taken.size,
    endLeaked() {
      const leaked = taken.all().filter(({ isLeaked }) => isLeaked);
      for (const connection of leaked) connection.endLeaked();
      return leaked.length;
    },
  };
}

/** How long a connection may be kept, by what its slot said of that. */
function keepAliveMs(hint: string | undefined): number {
  if (hint === undefined) return KEEP_ALIVE_MS;
  const seconds = /(?:^|[\s,])timeout=(\d+)/i.exec(hint)?.[1];
  if (seconds === undefined) return KEEP_ALIVE_MS;
  return Math.min(KEEP_ALIVE_MS, Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS);
}

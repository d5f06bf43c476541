import type { SlotCall } from './call.ts';
import type { ConnectionLimits } from './connection.ts';
import { createSlotConnections, type Over, type SlotConnections } from './connections.ts';

/** An instance whose socket refuses, or that loses a connection, is asked again after this time, in milliseconds. */
const LEAVE_OUT_MS = 500;

/** No instance: nobody is wanted, or whichever took the connection on the slot's port. */
export const ANY_INSTANCE = -1;

interface Instance {
  connections: SlotConnections;
  /** `performance.now()` from which on it may be tried. */
  leftOutUntil: number;
}

/**
 * The connections to a slot whose instances can be told apart: a call goes to the instance that it wants as long as that
 * one lives, another call to the one with the fewest. A slot none of whose sockets answers is reached by its port.
 *
 * @param sockets of the instances, in their order
 * @param port the connections to the slot's port
 */
export function createInstanceConnections(
  sockets: readonly string[],
  port: SlotConnections,
  limits: ConnectionLimits,
): SlotConnections {
  const instances: Instance[] = sockets.map((path) => ({
    connections: createSlotConnections({ path }, limits),
    leftOutUntil: 0,
  }));

  const all = [port, ...instances.map(({ connections }) => connections)];

  const choose = (wanted: number): number => {
    const now = performance.now();
    const mayServe = (n: number) => {
      const instance = instances[n];
      return instance !== undefined && now >= instance.leftOutUntil;
    };
    if (mayServe(wanted)) return wanted;
    let best = ANY_INSTANCE;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [n, { connections }] of instances.entries()) {
      if (!mayServe(n) || connections.busy() >= fewest) continue;
      best = n;
      fewest = connections.busy();
    }
    return best;
  };

  const leaveOut = (n: number): void => {
    const instance = instances[n];
    if (instance) instance.leftOutUntil = performance.now() + LEAVE_OUT_MS;
  };

  const send = (call: SlotCall, over: Over): void => {
    // A call that comes again has lost its connection: that instance is dying, though its socket may still accept.
    leaveOut(call.instance);
    const n = choose(call.wantedInstance);
    call.instance = n;
    const instance = instances[n];
    if (instance === undefined) port.send(call, over);
    else {
      instance.connections.send(call, over, () => {
        // No byte of the request has been sent, so that anybody else may get it.
        send(call, over);
      });
    }
  };

  return {
    send,
    busy: () => all.reduce((sum, connections) => sum + connections.busy(), 0),
    endLeaked: () => all.reduce((sum, connections) => sum + connections.endLeaked(), 0),
  };
}

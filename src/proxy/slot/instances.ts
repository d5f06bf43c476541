import type { SlotCall } from './call.ts';
import type { ConnectionLimits } from './connection.ts';
import { createSlotConnections, type Over, type SlotConnections } from './connections.ts';

/**
 * An instance that has lost a connection is asked after all others for this time, in milliseconds: a process that dies
 * closes its connections one by one, and its listening socket takes a last one meanwhile.
 */
const LOST_MS = 500;

/** An instance whose socket refuses is not asked again for this time, in milliseconds. Asking costs next to nothing. */
const REFUSED_MS = 100;

/** No instance: nobody is wanted, or whichever took the connection on the slot's port. */
export const ANY_INSTANCE = -1;

interface Instance {
  connections: SlotConnections;
  /** `performance.now()` from which on it is as good as any other. */
  leftOutUntil: number;
  /** It was left out because nobody listened. */
  refuses: boolean;
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
    refuses: false,
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

  /** The one that was left out longest ago; it may have been started anew since. */
  const lastResort = (lost: number): number => {
    let best = ANY_INSTANCE;
    let oldest = Number.POSITIVE_INFINITY;
    for (const [n, { leftOutUntil, refuses }] of instances.entries()) {
      if (refuses || n === lost || leftOutUntil >= oldest) continue;
      best = n;
      oldest = leftOutUntil;
    }
    return best;
  };

  const leaveOut = (n: number, refuses: boolean): void => {
    const instance = instances[n];
    if (!instance) return;
    instance.refuses = refuses;
    instance.leftOutUntil = performance.now() + (refuses ? REFUSED_MS : LOST_MS);
  };

  /** @param lost the instance that has lost the call; -1 when it is new */
  const sendTo = (call: SlotCall, over: Over, lost: number): void => {
    const chosen = choose(call.wantedInstance);
    const n = chosen === ANY_INSTANCE ? lastResort(lost) : chosen;
    call.instance = n;
    const instance = instances[n];
    if (instance === undefined) {
      port.send(call, over);
      return;
    }
    instance.connections.send(call, over, () => {
      // No byte of the request has been sent, so that anybody else may get it.
      leaveOut(n, true);
      sendTo(call, over, lost);
    });
  };

  const send = (call: SlotCall, over: Over): void => {
    // A call that comes again has lost its connection: that instance is dying, though its socket may still accept.
    const lost = call.instance;
    leaveOut(lost, false);
    sendTo(call, over, lost);
  };

  return {
    send,
    busy: () => all.reduce((sum, connections) => sum + connections.busy(), 0),
    endLeaked: () => all.reduce((sum, connections) => sum + connections.endLeaked(), 0),
  };
}

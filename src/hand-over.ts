/**
 * Mends two holes in Node's cluster, in the process that is its primary: the PM2 daemon.
 *
 * The primary hands each connection to a worker and keeps it until the worker has it. When the worker dies
 * before that, child_process postpones the `disconnect` event until an acknowledgement that never comes: the
 * primary keeps the connection open for ever, and nobody answers it (ran, Node 24.21: nearly every kill under
 * load left one such visitor). No byte of it has been read, so another worker can have it.
 *
 * A worker that has stopped listening declines what it was handed before, and the primary puts it in the queue of
 * the address. If that was the last worker, nobody looks there again, and the visitor waits as long (ran: one
 * who connected as pm2-runtime was told to stop hung until it had ended).
 */
import cluster, { type Worker } from 'node:cluster';
import type { EventEmitter } from 'node:events';

/** Node's own messages between a primary and its workers. */
interface ClusterMessage {
  cmd?: string;
  act?: string;
  seq?: number;
  ack?: number;
  accepted?: boolean;
  errno?: number | null;
  /** Names a listening address. */
  key?: string;
}

interface HandedOver {
  key: string;
  handle: { close(): void };
}

const LOOK_INTERVAL_MS = 5;

/** The workers that connections of an address may be handed to, by its key. */
const listeners = new Map<string, Set<Worker>>();

let isOn = false;

/** From here on, for the workers that are started after it. Does nothing in a worker. */
export function rescueHandOvers(): void {
  if (isOn || !cluster.isPrimary) return;
  isOn = true;
  cluster.on('fork', rescueConnections);
}

function rescueConnections(worker: Worker): void {
  const child = worker.process as typeof worker.process & EventEmitter;
  const unanswered = new Map<number, HandedOver>();

  const send = child.send as (...args: unknown[]) => boolean;
  child.send = (...args: unknown[]) => {
    const { cmd, act, seq, ack, errno, key } = (args[0] ?? {}) as ClusterMessage;
    const handle = args[1] as HandedOver['handle'] | undefined;
    if (cmd === 'NODE_CLUSTER' && key) {
      if (act === 'newconn' && seq !== undefined && handle) unanswered.set(seq, { key, handle });
      // The answer to its wish to listen.
      else if (ack !== undefined && !errno) addListener(key, worker);
    }
    return send.apply(child, args);
  };
  child.on('internalMessage', ({ cmd, act, ack, accepted, key }: ClusterMessage) => {
    if (cmd !== 'NODE_CLUSTER') return;
    if (act === 'close' && key) listeners.get(key)?.delete(worker);
    const answered = ack === undefined ? undefined : unanswered.get(ack);
    if (!answered) return;
    unanswered.delete(ack as number);
    if (!accepted && !isHeard(answered.key)) answered.handle.close();
  });

  let told = false;
  child.once('disconnect', () => {
    told = true;
  });
  const rescue = () => {
    // Until then there may be an answer of it left to read.
    if (child.connected) return void setTimeout(rescue, LOOK_INTERVAL_MS);
    // The cluster takes a worker off its lists only when it hears of this.
    if (!told) child.emit('disconnect');
    for (const workers of listeners.values()) workers.delete(worker);
    const left = [...unanswered];
    unanswered.clear();
    for (const [seq, { key, handle }] of left) {
      if (!isHeard(key)) handle.close();
      // A worker that is about to stop listening says the same.
      else child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false });
    }
  };
  child.once('exit', rescue);
}

function addListener(key: string, worker: Worker): void {
  const workers = listeners.get(key);
  if (workers) workers.add(worker);
  else listeners.set(key, new Set([worker]));
}

function isHeard(key: string): boolean {
  return (listeners.get(key)?.size ?? 0) > 0;
}

/** For a process that PM2 runs in cluster mode and that visitors depend on. */
import cluster from 'node:cluster';
import { isIPv6, type Server } from 'node:net';

/** Of what is written to the channel of a daemon that has died. */
const CHANNEL_CLOSED = /^(EPIPE|ECONNRESET|ERR_IPC_CHANNEL_CLOSED)$/;

/** PM2 in the foreground (`pm2-runtime`): the main process of a container or of a unit, which ends as a whole. */
export function isForeground(): boolean {
  return process.env.PM2_DISCRETE_MODE === 'true';
}

/**
 * Goes on when the daemon dies: Node ends a cluster's worker that has lost its primary, unless it has been said to leave
 * by itself.
 *
 * @param onOrphaned is called when that has happened
 */
export function outliveDaemon(onOrphaned: () => void): void {
  const { worker } = cluster;
  if (!worker || isForeground()) return;
  worker.once('disconnect', () => {
    worker.exitedAfterDisconnect = true;
    onOrphaned();
  });
  // PM2 sends a copy of each line that is printed to the daemon, and Node makes an `error` of the worker of what fails there.
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (!CHANNEL_CLOSED.test(error.code ?? '')) throw error;
  });
}

/**
 * Tells PM2 that this process serves, which a reload waits for. Node tells it of a server that listens through the daemon, and
 * ours accept by themselves.
 */
export function tellListening(server: Server): void {
  const where = server.address();
  if (!cluster.isWorker || !process.connected || where === null || typeof where === 'string')
    return;
  const { address, port } = where;
  const addressType = isIPv6(address) ? 6 : 4;
  process.send?.({ cmd: 'NODE_CLUSTER', act: 'listening', addressType, address, port });
}

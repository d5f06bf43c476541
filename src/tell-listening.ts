import cluster from 'node:cluster';
import { isIPv6, type Server } from 'node:net';

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

import type { Socket } from 'node:net';
import { afterReading } from '../../after-reading.ts';
import { ConnectTimeout } from './failure.ts';

/** Where something of a slot listens: a port of 127.0.0.1, or an instance's Unix socket. */
export type Address = { readonly port: number } | { readonly path: string };

/**
 * Connects to a slot.
 *
 * @param socket a new one
 * @param done gets either an error, and then no byte has been sent, or a connected socket
 */
export function connectSlot(
  address: Address,
  timeoutMs: number,
  socket: Socket,
  done: (error: Error | null, socket: Socket | null) => void,
): Socket {
  const late = () => {
    if (socket.connecting) socket.destroy(new ConnectTimeout());
  };
  const timer = setTimeout(afterReading, timeoutMs, late);
  const refuse = (error: Error) => {
    clearTimeout(timer);
    done(error, null);
  };
  socket.once('error', refuse);
  socket.once('connect', () => {
    clearTimeout(timer);
    socket.off('error', refuse);
    done(null, socket);
  });
  if ('path' in address) return socket.connect({ path: address.path });
  return socket.connect({ host: '127.0.0.1', port: address.port });
}

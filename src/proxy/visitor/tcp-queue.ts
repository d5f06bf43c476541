import type { Socket } from 'node:net';

/** libuv's view of a TCP connection. Node's types leave it out. */
interface TcpHandle {
  bytesWritten: number;
  /** Bytes that the kernel has not taken yet. */
  writeQueueSize: number;
  readStart(): void;
  /** node:net's own note of whether it reads. */
  reading?: boolean;
  /** The handle below, with TLS. */
  _parent?: TcpHandle;
}

export interface TcpQueue {
  /** Whether bytes wait for the other side. */
  isWaiting: boolean;
  /** Bytes that the kernel has taken so far; with TLS those of its records. */
  taken: number;
}

/**
 * How far a connection's bytes have come. `bytesWritten` and `writableLength` of the socket move by whole writes only, of
 * up to 160 KiB with TLS, and HTTP/2 goes past them.
 */
export function tcpQueue(socket: Socket): TcpQueue {
  const handle = handleOf(socket);
  if (!handle) return { isWaiting: false, taken: 0 };
  const { bytesWritten, writeQueueSize } = handle._parent ?? handle;
  return {
    isWaiting: writeQueueSize > 0 || socket.writableLength > 0,
    taken: bytesWritten - writeQueueSize,
  };
}

/**
 * Reads from a connection whether or not Node has stopped to. It stops under an HTTP/2 session that has much to send, and
 * does not begin again when the visitor has gone: neither FIN nor RST is noticed, and the socket stays in CLOSE-WAIT (ran,
 * Node 24.21).
 */
export function readOn(socket: Socket): void {
  const handle = handleOf(socket);
  if (!handle) return;
  handle.reading = true;
  handle.readStart();
}

function handleOf(socket: Socket): TcpHandle | null {
  return (socket as unknown as { _handle: TcpHandle | null })._handle;
}

import { Socket } from 'node:net';

/** One for all visitors' connections, one read at a time: Node's own reads get 64 KiB of new memory each. */
const buffer = Buffer.allocUnsafeSlow(65_536);

/**
 * Where node:net keeps what the option `onread` says. `connect` has that option, and sockets that a server accepts do not;
 * test/proxy/visitor/read-by-buffer.test.ts fails should the names ever change.
 */
const names = Object.getOwnPropertySymbols(new Socket());
const BUFFER = names.find(({ description }) => description === 'kBuffer');
const CALLBACK = names.find(({ description }) => description === 'kBufferCb');

type Receiver<T extends Socket> = (this: T, length: number, buffer: Buffer) => boolean;

interface AcceptedSocket {
  _handle: { useUserBuffer?(buffer: Buffer): void } | null;
  [name: symbol]: unknown;
}

/**
 * Hands out what comes on an accepted connection from where it has been read to, past the stream.
 *
 * @param receive gets what one read has brought, to the buffer's first bytes, and says whether to read on. The next read of any
 * connection overwrites it: `owned` copies what is to stay.
 * @returns whether that is possible; otherwise there is `data`
 */
export function readByBuffer<T extends Socket>(socket: T, receive: Receiver<T>): boolean {
  const accepted = socket as unknown as AcceptedSocket;
  if (BUFFER === undefined || CALLBACK === undefined) return false;
  if (accepted._handle?.useUserBuffer === undefined) return false;
  accepted[BUFFER] = buffer;
  accepted[CALLBACK] = receive;
  accepted._handle.useUserBuffer(buffer);
  return true;
}

/** Bytes that stay as they are when more is read. */
export function owned(bytes: Buffer): Buffer {
  return bytes.buffer === buffer.buffer ? Buffer.from(bytes) : bytes;
}

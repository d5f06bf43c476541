/**
 * Accepts by several handles of one listening socket. libuv takes one connection from each handle per turn of the event loop,
 * so that with a single one each new connection costs a busy worker a turn of its own (ran, Node 24.21): with four 1.36 x as
 * many connections per CPU-second of a worker that has a core's worth to do, 0.92 x where they come one at a time (8 paired rounds).
 */
import type { Server } from 'node:net';
import { receiveHandle } from './handle-passing.ts';

/** The server's own among them. More are worth a little more, and each is asked in vain by all workers for a single connection. */
const HANDLES = 4;

/** Node's default. */
const BACKLOG = 511;

/** A listening socket as node:net has it; test/proxy/accept-more.test.ts fails should that ever change. */
interface Listening {
  [owner: symbol]: unknown;
  onconnection: unknown;
  listen(backlog: number): number;
  close(callback?: () => void): void;
}

/**
 * @param path where this process passes the socket on, also to itself
 * @param port that the server listens on
 */
export async function acceptMore(server: Server, path: string, port: number): Promise<void> {
  for (let n = 1; n < HANDLES; n++) {
    const more = (await receiveHandle(path, port)) as Listening | null;
    if (more === null) return;
    const { _handle: own } = server as unknown as { _handle: Listening | null };
    if (own === null || !join(own, more)) return more.close();
  }
}

/**
 * Has what `more` accepts taken for what `own` has accepted, the limit of connections included, and closes both together.
 *
 * @returns whether it accepts
 */
function join(own: Listening, more: Listening): boolean {
  const names = Object.getOwnPropertySymbols(own);
  const owner = names.find(({ description }) => description === 'owner_symbol');
  if (owner === undefined) return false;
  more[owner] = own[owner];
  more.onconnection = own.onconnection;
  if (more.listen(BACKLOG) !== 0) return false;
  const { close } = own;
  own.close = function closeBoth(callback) {
    more.close();
    close.call(this, callback);
  };
  return true;
}

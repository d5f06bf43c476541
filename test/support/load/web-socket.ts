import { WebSocket } from 'ws';
import { type LoadContext, pause, type SocketRecord } from './context.ts';

const PING = '{"type":"ping"}';
const PING_INTERVAL_MS = 1000;
const RECONNECT_MS = 100;

/** Without a close frame there is no code; this one stands for that (RFC 6455 §7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** Keeps a WebSocket open and talking, and opens the next one when the server closes it. */
export async function webSocketClient(load: LoadContext, path: string): Promise<void> {
  while (!load.stopping.aborted) {
    const record: SocketRecord = { pongs: 0, closeCode: null };
    load.sockets.push(record);
    await load.ledger.book('web-socket', `GET ${path}`, () => talk(load, path, record));
    await pause(load, RECONNECT_MS);
  }
}

function talk(load: LoadContext, path: string, record: SocketRecord): Promise<void> {
  const url = load.origin.replace(/^http/, 'ws') + path;
  const socket = new WebSocket(url, { handshakeTimeout: load.hungMs, perMessageDeflate: false });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let waiting: NodeJS.Timeout | undefined;
  let next: NodeJS.Timeout | undefined;

  const fail = (error: Error) => {
    reject(error);
    socket.terminate();
  };
  const expect = (what: string) => {
    clearTimeout(waiting);
    const late = new Error(`hung: no ${what} within ${load.hungMs / 1000} s`);
    waiting = setTimeout(() => fail(late), load.hungMs);
  };
  const ping = () => {
    socket.send(PING);
    expect('pong');
  };
  const leave = () => {
    if (socket.readyState !== WebSocket.OPEN) return;
    clearTimeout(next);
    socket.close(1000);
    expect('answer to our close');
  };

  socket.on('upgrade', ({ headers }) => load.onAnswer(headers));
  socket.on('open', () => (load.stopping.aborted ? leave() : ping()));
  socket.on('message', (data) => {
    if (!isPong(String(data)) || load.stopping.aborted) return;
    record.pongs++;
    clearTimeout(waiting);
    next = setTimeout(ping, PING_INTERVAL_MS);
  });
  socket.on('error', fail);
  socket.on('close', (code) => {
    if (code === NO_CLOSE_FRAME) fail(new Error(`closed without a close frame (${code})`));
    if (code === NO_CLOSE_FRAME || !load.stopping.aborted) record.closeCode = code;
    resolve();
  });
  load.stopping.addEventListener('abort', leave);
  return promise.finally(() => {
    clearTimeout(waiting);
    clearTimeout(next);
    load.stopping.removeEventListener('abort', leave);
  });
}

function isPong(text: string): boolean {
  try {
    return JSON.parse(text)?.type === 'pong';
  } catch {
    return false;
  }
}

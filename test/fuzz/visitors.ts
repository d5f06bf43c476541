/** Visitors over HTTP/1.1, TLS and HTTP/2, several requests on a connection; some leave at any moment. */
import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { parseAnswers } from '../support/raw-answers.ts';
import { cut, type Random } from './random.ts';
import { isSafe, type RequestPlan } from './requests.ts';

/** One answer as its visitor has it. */
export interface Seen {
  request: RequestPlan;
  /** `null`: none has come. */
  status: number | null;
  /** Of the site's answer; `null` on one of the proxy's own. */
  marker: string | null;
  body: string;
  /** Its end has come, in due form. */
  complete: boolean;
}

export type Protocol = 'http' | 'tls' | 'http2';

export interface Session {
  protocol: Protocol;
  seen: Seen[];
  /** The visitor has left, or what it sent is not to be understood: any answer may be missing. */
  isSpoilt: boolean;
  /** The time ran out before the last answer, of a visitor who stayed. */
  isStuck: boolean;
  /** Bytes came that are no answer. */
  garbage: string | null;
}

/** More than all limits of the proxy together. */
const PATIENCE_MS = 45_000;

/** One who leaves does not stay until all streams have ended. */
const LEAVING_MS = 1000;
/** Longer than the proxy waits for somebody who takes nothing (worker.ts), and closes a request that it has answered. */
const NARROW_MS = 9000;

export async function http1Session(
  port: number,
  tls: boolean,
  requests: RequestPlan[],
  at: Random,
): Promise<Session> {
  const tcp = connect({ host: '127.0.0.1', port, noDelay: true }).on('error', () => {});
  const socket: Socket = tls ? connectTls({ socket: tcp, rejectUnauthorized: false }) : tcp;
  socket.setMaxListeners(0);
  const chunks: Buffer[] = [];
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    const settle = () => {
      isGone = true;
      resolve();
    };
    socket.on('close', settle).on('error', settle).on('end', settle);
  });
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const methods = requests.map(({ method }) => method);
  let garbage: string | null = null;
  const finals = () => {
    try {
      const text = Buffer.concat(chunks).toString('latin1');
      return parseAnswers(text, methods, isGone).filter(({ status }) => status >= 200);
    } catch (error) {
      garbage = (error as Error).message;
      return [];
    }
  };
  const count = () => finals().filter(({ complete }) => complete).length;

  const leaves = at.chance(0.35);
  if (leaves) void leave(socket, tcp, at);
  const isPipelined = at.chance(0.5);
  const deadline = performance.now() + PATIENCE_MS;
  const untilAnswers = async (wanted: number) => {
    while (!isGone && count() < wanted && performance.now() < deadline) {
      await Promise.race([
        gone,
        new Promise((resolve) => socket.once('data', resolve)),
        delay(200, undefined, { ref: false }),
      ]);
    }
  };
  for (const [index, request] of requests.entries()) {
    for (const piece of cut(request.bytes, at, at.pick([1, 3, 20]))) {
      if (isGone || socket.destroyed) break;
      if (!socket.write(piece)) {
        await Promise.race([
          gone,
          new Promise((resolve) => socket.once('drain', resolve)),
          delay(2000, undefined, { ref: false }),
        ]);
      }
      await (at.chance(0.1) ? delay(at.below(5)) : new Promise((resolve) => setImmediate(resolve)));
    }
    if (!isPipelined) await untilAnswers(index + 1);
  }
  await untilAnswers(requests.length);
  const isStuck = !leaves && !isGone && count() < requests.length;
  const answers = finals();
  socket.destroy();
  return {
    protocol: tls ? 'tls' : 'http',
    seen: requests.map((request, index) => {
      const answer = answers[index];
      if (!answer) return unseen(request);
      const marker = answer.fields.find(([name]) => name.toLowerCase() === 'x-marker')?.[1] ?? null;
      return {
        request,
        status: answer.status,
        marker,
        body: answer.body,
        complete: answer.complete,
      };
    }),
    isSpoilt: leaves || requests.some(({ sort }) => sort === 'bad'),
    isStuck,
    garbage,
  };
}

/** By the end, a reset, or by not reading any more, at any moment. */
async function leave(socket: Socket, tcp: Socket, at: Random): Promise<void> {
  const how = at.below(5);
  await (at.chance(0.3)
    ? new Promise((resolve) => socket.once('data', resolve))
    : delay(at.below(60)));
  if (how === 0) socket.end();
  if (how === 1) socket.pause();
  if (how <= 1) await delay(at.below(300));
  if (how === 2 && !tcp.destroyed) tcp.resetAndDestroy();
  socket.destroy();
}

export async function http2Session(
  port: number,
  requests: RequestPlan[],
  at: Random,
): Promise<Session> {
  const leaves = at.chance(0.35);
  const isNarrow = leaves && at.chance(0.2);
  const settings = isNarrow ? { initialWindowSize: at.pick([0, 1, 1000]) } : {};
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    settings,
  });
  session.on('error', () => {});
  const limitMs = isNarrow ? NARROW_MS : leaves ? LEAVING_MS : PATIENCE_MS;
  let isStuck = false;
  if (isNarrow) void widen(session, at);
  else if (leaves) void depart(session, at);
  const seen = await Promise.all(
    requests.map(async (request) => {
      await delay(at.below(20));
      if (session.closed || session.destroyed) return unseen(request);
      const fields = Object.fromEntries(request.fields.filter(([name]) => name !== '__proto__'));
      const { method, target, body } = request;
      const isBare = isSafe(method);
      const stream = session.request(
        { ':method': method, ':path': target, ...fields },
        { endStream: isBare },
      );
      const answer = read(stream, request);
      const gives = leaves && at.chance(0.5);
      if (gives) void giveUp(stream, at);
      const bytes = Buffer.from(body ?? '', 'latin1');
      // The end of a body may never come.
      if (!isBare && isNarrow && at.chance(0.5)) stream.write(bytes.subarray(0, -1));
      else if (!isBare) void send(stream, bytes, at);
      const timer = delay(limitMs, 'stuck' as const, { ref: false });
      const ended = await Promise.race([answer.closed, timer]);
      if (ended === 'stuck') isStuck = true;
      // The end that a visitor makes itself looks like the answer's own.
      return leaves ? { ...answer.seen(), complete: false } : answer.seen();
    }),
  );
  session.destroy();
  return {
    protocol: 'http2',
    seen,
    isSpoilt: leaves,
    isStuck: isStuck && !leaves,
    garbage: null,
  };
}

/** Takes nothing of the answers until the proxy has lost its patience, or nearly so. */
async function widen(session: ReturnType<typeof connectHttp2>, at: Random): Promise<void> {
  await delay(at.below(NARROW_MS));
  if (!session.destroyed) session.settings({ initialWindowSize: 1024 * 1024 });
}

/** GOAWAY, the end or a destroyed connection, at any moment. */
async function depart(session: ReturnType<typeof connectHttp2>, at: Random): Promise<void> {
  if (at.chance(0.4)) return;
  await delay(at.below(80));
  const how = at.below(3);
  if (how === 0) session.close();
  else if (how === 1 && !session.destroyed) session.goaway(0);
  if (how !== 0) {
    await delay(at.below(30));
    session.destroy();
  }
}

async function giveUp(stream: ClientHttp2Stream, at: Random): Promise<void> {
  if (at.chance(0.3)) stream.pause();
  await delay(at.below(80));
  if (!stream.destroyed) stream.close(at.pick([0, 2, 5, 8, 11]));
}

async function send(stream: ClientHttp2Stream, body: Buffer, at: Random): Promise<void> {
  for (const piece of cut(body, at, 6)) {
    if (stream.destroyed || stream.closed) return;
    stream.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!stream.destroyed) stream.end();
}

function read(stream: ClientHttp2Stream, request: RequestPlan) {
  const chunks: Buffer[] = [];
  let status: number | null = null;
  let marker: string | null = null;
  let isEnded = false;
  stream.on('response', (fields) => {
    status = fields[':status'] as number;
    marker = (fields['x-marker'] as string | undefined) ?? null;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    isEnded = true;
  });
  stream.on('error', () => {});
  const closed = new Promise<'closed'>((resolve) => stream.on('close', () => resolve('closed')));
  const seen = (): Seen => ({
    request,
    status,
    marker,
    body: Buffer.concat(chunks).toString('latin1'),
    // RFC 9113 §8.1: a reset without an error after a whole answer asks for no more of the body.
    complete: status !== null && isEnded && !stream.aborted && (stream.rstCode ?? 0) === 0,
  });
  return { closed, seen };
}

function unseen(request: RequestPlan): Seen {
  return { request, status: null, marker: null, body: '', complete: false };
}

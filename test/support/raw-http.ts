/** HTTP/1.1 as bytes on a socket: what a client library would hide, refuse to send or mend. */
import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Answer, parseAnswers } from './raw-answers.ts';

const DEADLINE_MS = 10_000;

/** What is kept of what a socket has received; the rest is only counted, by `socket.bytesRead`. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** One end of a connection, with everything that has come on it. Texts are Latin-1: a character is a byte. */
export interface Wire {
  socket: Socket;
  send(bytes: string | Buffer): void;
  /** Everything received so far. */
  text(): string;
  /** `open`, `ended` by the other side, `reset` (or another error), or `closed` by ourselves. */
  state(): WireState;
  /** Waits until this string has come, or the condition on all that has come holds; throws when it cannot. */
  until(wanted: string | ((text: string) => boolean), timeoutMs?: number): Promise<string>;
  /** Waits for the other side to end or reset the connection. */
  untilGone(timeoutMs?: number): Promise<WireState>;
}

export type WireState = 'open' | 'ended' | 'reset' | 'closed';

/** Keeps a record of a socket. */
export function watch(socket: Socket): Wire {
  const chunks: Buffer[] = [];
  let kept = 0;
  let state: WireState = 'open';
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  const settle = (next: WireState) => {
    if (state === 'open') state = next;
    notify();
  };
  socket.on('data', (chunk: Buffer) => {
    if (kept < KEPT_BYTES) chunks.push(chunk);
    kept += chunk.length;
    notify();
  });
  socket.on('end', () => settle('ended'));
  socket.on('error', () => settle('reset'));
  socket.on('close', () => settle('closed'));

  const text = () => {
    if (chunks.length > 1) chunks.splice(0, chunks.length, Buffer.concat(chunks));
    return chunks[0]?.toString('latin1') ?? '';
  };

  const wait = (holds: () => boolean, cannot: () => boolean, what: string, timeoutMs: number) =>
    new Promise<void>((resolve, reject) => {
      const finish = (error: Error | null) => {
        clearTimeout(timer);
        listeners.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const fail = (why: string) => {
        const seen = JSON.stringify(text().slice(-600));
        finish(new Error(`${what}: ${why}; the connection is ${state} and has brought ${seen}`));
      };
      const look = () => {
        if (holds()) finish(null);
        else if (cannot()) fail('it cannot come any more');
      };
      const timer = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs);
      listeners.add(look);
      look();
    });

  return {
    socket,
    send: (bytes) => void socket.write(bytes as string, 'latin1'),
    text,
    state: () => state,
    async until(wanted, timeoutMs = DEADLINE_MS) {
      const holds = typeof wanted === 'string' ? (all: string) => all.includes(wanted) : wanted;
      const what = `waited for ${JSON.stringify(String(wanted))}`;
      await wait(
        () => holds(text()),
        () => state !== 'open',
        what,
        timeoutMs,
      );
      return text();
    },
    async untilGone(timeoutMs = DEADLINE_MS) {
      await wait(
        () => state !== 'open',
        () => false,
        'waited for the end',
        timeoutMs,
      );
      return state;
    },
  };
}

export interface RawClient extends Wire {
  /**
   * Waits for this many final answers, complete or broken off by the connection's end, and parses them.
   *
   * @param methods of the requests in order; an answer to HEAD has no body
   */
  answers(count: number, methods?: string[]): Promise<Answer[]>;
  /** The first final answer. */
  answer(method?: string): Promise<Answer>;
}

/** Connects to a server on 127.0.0.1 until the test has finished. */
export async function rawClient(
  port: number,
  options: Partial<TcpNetConnectOpts> = {},
): Promise<RawClient> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, ...options });
  onTestFinished(() => void socket.destroy());
  const wire = watch(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const answers = async (count: number, methods: string[] = []) => {
    const parse = () =>
      parseAnswers(wire.text(), methods, wire.state() !== 'open').filter((a) => a.status >= 200);
    const enough = () => {
      const parsed = parse();
      return parsed.length >= count && parsed[count - 1]?.complete === true;
    };
    await wire.until(() => enough() || wire.state() !== 'open');
    return parse();
  };
  return {
    ...wire,
    answers,
    async answer(method = 'GET') {
      const [first] = await answers(1, [method]);
      if (!first) throw new Error(`no answer; the connection is ${wire.state()}: ${wire.text()}`);
      return first;
    },
  };
}

/** Sends bytes on a connection of their own and gives the first final answer. */
export async function ask(port: number, bytes: string, method = methodOf(bytes)): Promise<Answer> {
  const client = await rawClient(port);
  client.send(bytes);
  const answer = await client.answer(method);
  client.socket.destroy();
  return answer;
}

/** A head's bytes: `head('GET /', 'Host: a')`; HTTP/1.1 unless the first line names a version. */
export function head(line: string, ...fields: string[]): string {
  const full = /(?:HTTP|RTSP|ICE)\/\d/.test(line) ? line : `${line} HTTP/1.1`;
  return `${[full, ...fields].join('\r\n')}\r\n\r\n`;
}

/** A GET with a Host field. */
export function get(path = '/', ...fields: string[]): string {
  return head(`GET ${path}`, 'Host: site.test', ...fields);
}

/** Bytes as one chunk of a chunked body; the empty string is the last one, without trailers. */
export function chunk(bytes: string): string {
  return bytes === '' ? '0\r\n\r\n' : `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
}

function methodOf(bytes: string): string {
  return bytes.slice(0, bytes.indexOf(' '));
}

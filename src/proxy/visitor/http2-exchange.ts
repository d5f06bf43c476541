/**
 * A request over HTTP/2 and its answer, straight from the stream: the two objects that Node's `http2` makes of one cost a fifth of
 * a request's processor time (bench/README.md). A request that has a body is still Node's.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { rememberSome } from '../remember.ts';

/** A request without a body; has what the proxy uses of an `IncomingMessage`. */
export class Http2Request {
  readonly stream: ServerHttp2Stream;
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly headers: IncomingHttpHeaders;
  readonly httpVersionMajor = 2;
  readonly httpVersionMinor = 0;
  readonly complete = true;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]) {
    this.stream = stream;
    this.method = headers[':method'] as string;
    this.url = headers[':path'] as string;
    this.rawHeaders = rawHeaders;
    this.headers = headers;
  }

  /** The session's; the stream itself once that is over, as with Node's. */
  get socket(): Socket {
    return this.stream.session?.socket ?? (this.stream as unknown as Socket);
  }
}

const RESPONSE = Symbol('response');

type Answered = ServerHttp2Stream & { [RESPONSE]?: Http2Response };

/** The answer on a stream; has what the proxy uses of a `ServerResponse`. */
export class Http2Response {
  readonly stream: ServerHttp2Stream;
  /** An answer over HTTP/2 has no such word (RFC 9113 §8.2.2). */
  shouldKeepAlive = true;
  /** Nothing is written past the stream. */
  readonly socket = null;
  statusCode = 0;
  writableEnded = false;
  /** Bytes of the body that have been written to the stream, which Node does not count. */
  handedOver = 0;
  #trailers: Record<string, string | string[]> = {};
  #onGone: (() => void)[] = [];

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
    (stream as Answered)[RESPONSE] = this;
    stream.on('error', ignore);
    stream.on('aborted', onGone);
    stream.on('close', onGone);
    stream.on('wantTrailers', sendTrailers);
  }

  get headersSent(): boolean {
    return this.stream.headersSent;
  }

  get destroyed(): boolean {
    return this.stream.destroyed;
  }

  get writableLength(): number {
    return this.stream.writableLength;
  }

  /** @param fields name and value in turn; those that HTTP/2 does not have are left out */
  writeHead(status: number, fields: readonly string[]): void {
    const { stream } = this;
    this.statusCode = status;
    if (stream.destroyed || stream.closed) return;
    const list: unknown[] = [':status', statusOf(status)];
    // The end of a stream that waits for them is a frame of its own. An answer of a known length has none (RFC 9110 §6.5).
    let waitForTrailers = true;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      const kind = kindOf(name);
      if (kind === 'none') continue;
      if (kind === 'length') waitForTrailers = false;
      list.push(name, fields[i + 1]);
    }
    stream.respond(list as never, { waitForTrailers });
  }

  /** Sends an answer that precedes this one (RFC 9110 §15.2). */
  writeInformational(status: number, fields: string[]): void {
    const { stream } = this;
    if (stream.destroyed || stream.closed || stream.headersSent) return;
    stream.additionalHeaders({ ':status': status, ...toHttp2Fields(fields) });
  }

  writeContinue(): void {
    this.writeInformational(100, []);
  }

  /** The head is on its way as soon as it is written. */
  flushHeaders(): void {}

  /** @returns whether the visitor takes more at once; `onDrain` tells otherwise */
  write(chunk: Buffer): boolean {
    if (!this.#isOpen()) return true;
    this.handedOver += chunk.length;
    return this.stream.write(chunk);
  }

  addTrailers(trailers: readonly [string, string][]): void {
    this.#trailers = toHttp2Fields(trailers.flat());
  }

  end(chunk?: Buffer): void {
    if (this.writableEnded || this.stream.destroyed) return;
    this.writableEnded = true;
    if (!this.#isOpen()) return;
    this.handedOver += chunk?.length ?? 0;
    if (chunk === undefined) this.stream.end();
    else this.stream.end(chunk);
  }

  /** An answer to `HEAD` is over with its head. */
  #isOpen(): boolean {
    return !this.stream.destroyed && !this.stream.writableEnded;
  }

  /** Calls back once the visitor takes more, after a `write` that has said no. */
  onDrain(goOn: () => void): void {
    this.stream.once('drain', goOn);
  }

  /** Calls back once all that has been written is on its way. */
  whenTaken(goOn: () => void): void {
    if (this.#isOpen()) this.stream.write('', goOn);
    else process.nextTick(goOn);
  }

  /** Calls back when the answer has ended or its visitor is gone, and perhaps more than once. */
  onGone(gone: () => void): void {
    this.#onGone.push(gone);
  }

  tellGone(): void {
    for (const gone of this.#onGone) gone();
  }

  sendTrailers(): void {
    this.stream.sendTrailers(this.#trailers);
  }
}

/** Listeners of all streams: a function of each stream's own would be memory for every request. */
function onGone(this: Answered): void {
  this[RESPONSE]?.tellGone();
}

function sendTrailers(this: Answered): void {
  this[RESPONSE]?.sendTrailers();
}

/** A stream that fails says `close` too. */
function ignore(): void {}

/** The answer that is given on a stream. */
export function answerOn(stream: ServerHttp2Stream): Http2Response | undefined {
  return (stream as Answered)[RESPONSE];
}

const HIGHEST_STATUS_OF_NODE = 599;

/** Node refuses a status that HTTP/2 itself does not forbid, and that HTTP/1.1 passes on: it looks at the number. */
function statusOf(status: number): unknown {
  if (status <= HIGHEST_STATUS_OF_NODE) return String(status);
  return { valueOf: () => HIGHEST_STATUS_OF_NODE, toString: () => String(status) };
}

/** Fields that HTTP/2 does not have (RFC 9113 §8.2.2), and that Node throws on. */
const HTTP1_ONLY = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a field is none of HTTP/2, or says how long the body is. */
const kindOf = rememberSome((name) => {
  const lower = name.toLowerCase();
  if (HTTP1_ONLY.has(lower)) return 'none';
  return lower === 'content-length' ? 'length' : 'any';
});

function toHttp2Fields(fields: readonly string[]): Record<string, string | string[]> {
  // Without a prototype: `__proto__` and `constructor` are names like any other.
  const out: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    if (HTTP1_ONLY.has(name)) continue;
    const before = out[name];
    if (before === undefined) out[name] = value;
    else out[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return out;
}

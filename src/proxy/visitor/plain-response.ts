import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { latin1 } from '../request/latin1.ts';
import { giveBack, isLent } from '../slot/read-buffer.ts';
import type { PlainFields, PlainHead } from './plain-request.ts';

/** A request that our own reader has taken; has what the proxy uses of an `IncomingMessage`. */
export class PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: string[];
  readonly headers: PlainFields;
  readonly socket: Socket;
  /** All of its head, where nothing had come behind it, and its answer may be that of the same bytes. */
  text: string | null;
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  readonly complete = true;

  constructor({ method, url, fields, known, text }: PlainHead, socket: Socket) {
    this.method = method;
    this.url = url;
    this.rawHeaders = fields;
    this.headers = known;
    this.socket = socket;
    this.text = text;
  }
}

/** The connection that an answer goes out on. */
export interface PlainOwner {
  readonly socket: Socket;
  /** Seconds that the connection is kept after an answer, for `Keep-Alive`; 0 for no such field. */
  readonly keepAliveS: number;
  /** The whole answer has gone out. */
  answered(response: PlainResponse): void;
}

/** Up to this many bytes a piece is cheaper as a part of one string than as a second piece of a vector. */
const SMALL_BYTES = 8192;

/** The answer to a plain request, straight to the socket; has what the proxy uses of a `ServerResponse`. */
export class PlainResponse {
  readonly req: PlainRequest;
  /** Whether another request may follow on the connection. */
  shouldKeepAlive: boolean;
  statusCode = 0;
  headersSent = false;
  writableEnded = false;
  /** All of it has been handed to the kernel. */
  writableFinished = false;
  readonly #owner: PlainOwner;
  /** The head, until it goes out with the first piece of the body. */
  #head = '';
  #hasBody = true;
  #isChunked = false;
  #trailers = '';
  #onGone: (() => void)[] = [];

  constructor(owner: PlainOwner, request: PlainRequest) {
    this.#owner = owner;
    this.req = request;
    this.shouldKeepAlive = request.headers.connection !== 'close';
  }

  get socket(): Socket {
    return this.#owner.socket;
  }

  get destroyed(): boolean {
    return this.#owner.socket.destroyed;
  }

  get writableLength(): number {
    return this.#owner.socket.writableLength;
  }

  /** @param fields name and value in turn; `Date`, what concerns the connection and the body's coding are added */
  writeHead(status: number, reason: string, fields: readonly string[]): void {
    this.statusCode = status;
    this.headersSent = true;
    let head = `HTTP/1.1 ${status} ${reason}\r\n`;
    let hasLength = false;
    let hasDate = false;
    let hasConnection = false;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string;
      head += `${name}: ${fields[i + 1]}\r\n`;
      if (name.length === 4) hasDate ||= name.toLowerCase() === 'date';
      else if (name.length === 14) hasLength ||= name.toLowerCase() === 'content-length';
      else if (name.length === 10) hasConnection ||= name.toLowerCase() === 'connection';
    }
    if (!hasDate) head += `Date: ${httpDate()}\r\n`;
    // Only our own error answers name it, to say that this one is the last.
    if (hasConnection) this.shouldKeepAlive = false;
    else head += this.#connectionFields();
    this.#hasBody = this.req.method !== 'HEAD' && status !== 204 && status !== 304;
    this.#isChunked = this.#hasBody && !hasLength;
    this.#head = `${head}${this.#isChunked ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`;
  }

  #connectionFields(): string {
    if (!this.shouldKeepAlive) return 'Connection: close\r\n';
    return keepAliveFields(this.#owner.keepAliveS);
  }

  /** Sends a message that precedes the answer, as it goes over the wire. */
  writeInformational(text: string): void {
    this.socket.write(text, 'latin1');
  }

  flushHeaders(): void {
    if (this.#head !== '') this.socket.write(this.#takeHead(), 'latin1');
  }

  /** @returns whether the visitor takes more at once; `onDrain` tells otherwise */
  write(chunk: Buffer): boolean {
    if (!this.#hasBody || chunk.length === 0) return true;
    const before = this.#takeHead() + (this.#isChunked ? `${chunk.length.toString(16)}\r\n` : '');
    const after = this.#isChunked ? '\r\n' : '';
    return this.#send(before, chunk, after);
  }

  addTrailers(trailers: readonly [string, string][]): void {
    for (const [name, value] of trailers) this.#trailers += `${name}: ${value}\r\n`;
  }

  end(chunk?: Buffer): void {
    if (this.writableEnded || !this.headersSent) return;
    this.writableEnded = true;
    const { socket } = this;
    // TLS takes nothing at once. Asking afterwards costs an empty write, and a system call (ran, Node 24.21).
    const taken = 'encrypted' in socket ? () => this.#finish() : undefined;
    const end = this.#isChunked ? `0\r\n${this.#trailers}\r\n` : '';
    let asks = taken !== undefined;
    if (chunk !== undefined && this.#hasBody && chunk.length > 0) {
      const size = this.#isChunked ? `${chunk.length.toString(16)}\r\n` : '';
      this.#send(this.#takeHead() + size, chunk, this.#isChunked ? `\r\n${end}` : '', taken);
    } else {
      const rest = this.#takeHead() + end;
      if (rest !== '') socket.write(rest, 'latin1', taken);
      else asks = false;
    }
    while (socket.writableCorked > 0) socket.uncork();
    if (asks) return;
    if (socket.writableLength === 0) this.#finish();
    else this.whenTaken(() => this.#finish());
  }

  /** Ends the connection: the visitor cannot take what has come for the whole. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Calls back once the visitor takes more, after a `write` that has said no. */
  onDrain(goOn: () => void): void {
    this.socket.once('drain', goOn);
  }

  /** Calls back once all that has been written is handed to the kernel. */
  whenTaken(goOn: () => void): void {
    this.socket.write('', goOn);
  }

  /** Calls back once, when the answer has ended or its visitor is gone. */
  onGone(gone: () => void): void {
    this.#onGone.push(gone);
  }

  /** The connection is closed. */
  closed(): void {
    if (!this.writableFinished) this.#tellGone();
  }

  #finish(): void {
    if (this.writableFinished || this.destroyed) return;
    this.writableFinished = true;
    this.#tellGone();
    this.#owner.answered(this);
  }

  #tellGone(): void {
    const told = this.#onGone;
    this.#onGone = [];
    for (const gone of told) gone();
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    return head;
  }

  /** @param taken is called back once all of it is handed to the kernel */
  #send(before: string, chunk: Buffer, after: string, taken?: () => void): boolean {
    const { socket } = this;
    if (before === '' && after === '') return socket.write(chunk, whenWritten(chunk, taken));
    if (chunk.length <= SMALL_BYTES) {
      return socket.write(before + latin1(chunk) + after, 'latin1', taken);
    }
    socket.cork();
    if (before !== '') socket.write(before, 'latin1');
    const isLast = after === '';
    const takesMore = socket.write(chunk, whenWritten(chunk, isLast ? taken : undefined));
    const result = isLast ? takesMore : socket.write(after, 'latin1', taken);
    socket.uncork();
    return result;
  }
}

/** What is called once a piece has been written: its memory is for others then. */
function whenWritten(chunk: Buffer, taken: (() => void) | undefined): (() => void) | undefined {
  if (!isLent(chunk)) return taken;
  return () => {
    giveBack(chunk);
    taken?.();
  };
}

/** @param seconds that the connection is kept after an answer; 0: not told */
export function keepAliveFields(seconds: number): string {
  const hint = seconds === 0 ? '' : `Keep-Alive: timeout=${seconds}\r\n`;
  return `Connection: keep-alive\r\n${hint}`;
}

let dateSecond = 0;
let dateText = '';

/** RFC 9110 §6.6.1; made once a second. */
export function httpDate(): string {
  const now = Date.now();
  const second = Math.floor(now / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(now).toUTCString();
  }
  return dateText;
}

/** The line of a message that precedes an answer (RFC 9110 §15.2). */
export function informational(status: number, fields: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n`;
}

import type { Socket } from 'node:net';
import { afterReading } from '../../after-reading.ts';
import { latin1 } from '../request/latin1.ts';
import { sendSoon, type Waiting } from '../send-soon.ts';
import { BAD_REQUEST, type ErrorAnswers, REQUEST_TIMEOUT } from './error-answer.ts';
import { endInStages, endSoon } from './linger.ts';
import { LONGEST_PLAIN_HEAD, type PlainHead, readPlainRequest } from './plain-request.ts';
import { type PlainOwner, PlainRequest, PlainResponse } from './plain-response.ts';
import { owned, readByBuffer } from './read-by-buffer.ts';
import { readByStream } from './turns.ts';

/** Bytes that may wait behind a request that is being answered. */
const MOST_WAITING_BYTES = 32 * 1024;

/** Of the protocols that Node's parser takes for HTTP. */
const OTHER_PROTOCOL = /^[^\r\n]* (?:RTSP|ICE)\/[\d.]+\r?\n/;

/** What all connections of a listener have in common. */
export interface PlainSetting {
  listener: PlainListener;
  errors: ErrorAnswers;
  headTimeoutMs: number;
  /** Bytes; longer heads are Node's. */
  longestHead: number;
  keepAliveS: number;
  /** Node's own listener for a new connection. */
  handOver(socket: Socket): void;
}

/** Takes what the reader has read. */
export interface PlainListener {
  /** Takes a request. */
  begin(request: PlainRequest, response: PlainResponse): void;
  /** The whole answer to a head that is known, or `null`. */
  known(head: string, socket: Socket): KnownAnswer | null;
}

/** An answer as it goes over the wire, in one piece or two. */
export interface KnownAnswer {
  head: Buffer;
  body: Buffer | null;
}

const CONNECTION = Symbol('plain connection');

type OwnedSocket = Socket & { [CONNECTION]?: PlainConnection | undefined };

/** A visitor's connection whose requests have all been plain so far; they are worked on one at a time. */
export class PlainConnection implements PlainOwner, Waiting {
  readonly socket: OwnedSocket;
  readonly #setting: PlainSetting;
  /** What has come and is not worked on yet. */
  #bytes: Buffer | null = null;
  #current: PlainResponse | null = null;
  #isReading = false;
  /** The visitor has yet to take an answer from memory. */
  #isBlocked = false;
  /** From memory, until the end of the turn. */
  #answers: KnownAnswer[] = [];
  #waitingBytes = 0;
  /** How much had been read at the last look, if it was the visitor's turn then, and at how many looks since. */
  #readBefore = -1;
  #idleLooks = 0;
  #headTimer: NodeJS.Timeout | null = null;

  constructor(socket: OwnedSocket, setting: PlainSetting) {
    this.socket = socket;
    this.#setting = setting;
    socket[CONNECTION] = this;
  }

  get keepAliveS(): number {
    return this.#setting.keepAliveS;
  }

  begin(): void {
    const { socket } = this;
    if (!readByBuffer(socket, onRead)) socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  received(bytes: Buffer): void {
    this.#bytes = this.#bytes === null ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.#isFree) this.#readOn();
    else if (this.#bytes.length > MOST_WAITING_BYTES) this.socket.pause();
    if (this.#bytes !== null) this.#bytes = owned(this.#bytes);
  }

  closed(): void {
    this.#headHasCome();
    this.#bytes = null;
    const current = this.#current;
    this.#current = null;
    current?.closed();
  }

  answered({ req, shouldKeepAlive }: PlainResponse): void {
    this.#current = null;
    if (!shouldKeepAlive) {
      this.#close(req.headers.connection === 'close');
      return;
    }
    const { socket } = this;
    if (this.#bytes !== null) this.#readOn();
    if (this.#isFree && socket.isPaused()) socket.resume();
  }

  /** Whether the next request may be worked on. */
  get #isFree(): boolean {
    return this.#current === null && !this.#isBlocked && this.socket[CONNECTION] === this;
  }

  /** Counts a look: at how many in a row it has been the visitor's turn to ask, and nothing has come of a next request. */
  countLook(): number {
    const { bytesRead } = this.socket;
    const isIdle = this.#isFree && this.#bytes === null;
    this.#idleLooks = isIdle && bytesRead === this.#readBefore ? this.#idleLooks + 1 : 0;
    this.#readBefore = isIdle ? bytesRead : -1;
    return this.#idleLooks;
  }

  /** A loop, for an answer may be there at once and another request behind it. */
  #readOn(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#bytes !== null && this.#isFree && !this.socket.destroyed) {
      const bytes: Buffer = this.#bytes;
      const { longestHead } = this.#setting;
      const text = latin1(bytes, 0, Math.min(bytes.length, longestHead));
      if (this.#answerKnown(text, bytes)) continue;
      const read = readPlainRequest(text);
      if (read === 'other' || (read === 'more' && bytes.length >= longestHead)) {
        this.#handOver(bytes);
        break;
      }
      if (read === 'more') {
        this.#headTimer ??= this.#limitHead();
        break;
      }
      this.#headHasCome();
      this.#bytes = read.end === bytes.length ? null : bytes.subarray(read.end);
      this.#answer(read);
    }
    this.#isReading = false;
  }

  /** @returns whether the head is known, and answered */
  #answerKnown(text: string, bytes: Buffer): boolean {
    const end = text.indexOf('\r\n\r\n') + 4;
    if (end === 3) return false;
    const { socket } = this;
    const isAll = end === bytes.length;
    const answer = this.#setting.listener.known(isAll ? text : text.slice(0, end), socket);
    if (answer === null) return false;
    this.#headHasCome();
    this.#bytes = isAll ? null : bytes.subarray(end);
    if (this.#answers.push(answer) === 1) sendSoon(this);
    this.#waitingBytes += answer.head.length + (answer.body?.length ?? 0);
    if (this.#waitingBytes > MOST_WAITING_BYTES) this.sendNow();
    return true;
  }

  /** What is known goes out at the end of the event loop's turn, all of it at once. */
  sendNow(): void {
    const { socket } = this;
    const answers = this.#answers;
    if (answers.length === 0) return;
    this.#answers = [];
    this.#waitingBytes = 0;
    const [only] = answers as [KnownAnswer];
    if (answers.length === 1 && only.body === null) socket.write(only.head);
    else {
      socket.cork();
      for (const { head, body } of answers) {
        socket.write(head);
        if (body !== null) socket.write(body);
      }
      socket.uncork();
    }
    if (socket.writableNeedDrain && !this.#isBlocked) this.#waitForVisitor();
  }

  failed(): void {
    this.socket.destroy();
  }

  #waitForVisitor(): void {
    const { socket } = this;
    this.#isBlocked = true;
    socket.pause();
    socket.once('drain', () => {
      this.#isBlocked = false;
      if (this.#bytes !== null) this.#readOn();
      if (this.#isFree) socket.resume();
    });
  }

  #answer(head: PlainHead): void {
    this.sendNow();
    const request = new PlainRequest(head, this.socket);
    const response = new PlainResponse(this, request);
    this.#current = response;
    this.#setting.listener.begin(request, response);
  }

  #limitHead(): NodeJS.Timeout {
    const late = () => {
      if (this.#headTimer === timer) this.#headIsLate();
    };
    const timer = setTimeout(afterReading, this.#setting.headTimeoutMs, late);
    return timer;
  }

  #headHasCome(): void {
    if (this.#headTimer === null) return;
    clearTimeout(this.#headTimer);
    this.#headTimer = null;
  }

  #headIsLate(): void {
    this.sendNow();
    this.#leave();
    endSoon(this.socket, this.#setting.errors.raw(undefined, REQUEST_TIMEOUT));
  }

  /** Gives the connection to Node's server, with the bytes that are no plain request. */
  #handOver(bytes: Buffer): void {
    const { socket } = this;
    this.sendNow();
    this.#leave();
    if (OTHER_PROTOCOL.test(latin1(bytes, 0, Math.min(bytes.length, LONGEST_PLAIN_HEAD)))) {
      endSoon(socket, this.#setting.errors.raw(undefined, BAD_REQUEST));
      return;
    }
    socket.pause();
    socket.unshift(owned(bytes));
    this.#setting.handOver(socket);
    readByStream(socket);
    socket.resume();
  }

  /** @param isAwaited whether the visitor has asked for it, and so sends no more (RFC 9112 §9.6) */
  #close(isAwaited: boolean): void {
    const { socket } = this;
    if (!isAwaited || this.#bytes !== null) {
      this.#leave();
      endInStages(socket);
      return;
    }
    // The kernel has it all, and sends a FIN behind it: no need of a shutdown before. TLS has a last word of its own.
    if ('encrypted' in socket) socket.destroySoon();
    else socket.destroy();
  }

  #leave(): void {
    const { socket } = this;
    this.#headHasCome();
    this.#bytes = null;
    socket[CONNECTION] = undefined;
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('error', onError);
    socket.off('close', onClose);
  }
}

/** Gives the reader of a connection what somebody else has read of it, before anything else of it is read. */
export function giveRead(socket: Socket, bytes: Buffer): void {
  (socket as OwnedSocket)[CONNECTION]?.received(bytes);
}

/** At how many looks in a row, this one included, a connection has waited for its visitor's next plain request. */
export function idleLooks(socket: Socket): number {
  return (socket as OwnedSocket)[CONNECTION]?.countLook() ?? 0;
}

// One function for all connections: there may be ten thousand.

/** @returns whether to read on */
function onRead(this: OwnedSocket, length: number, buffer: Buffer): boolean {
  const bytes = buffer.subarray(0, length);
  // Whoever has the connection now reads its stream.
  if (this[CONNECTION] === undefined) return this.push(owned(bytes));
  this[CONNECTION].received(bytes);
  return !this.isPaused();
}

function onData(this: OwnedSocket, bytes: Buffer): void {
  this[CONNECTION]?.received(bytes);
}

/** The visitor sends no more, and does not wait either: Node's server takes it so as well. */
function onEnd(this: OwnedSocket): void {
  this[CONNECTION]?.sendNow();
  this.end();
}

function onError(): void {}

function onClose(this: OwnedSocket): void {
  this[CONNECTION]?.closed();
}

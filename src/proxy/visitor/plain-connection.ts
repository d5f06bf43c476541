import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { ProxyConfig } from '../../config/proxy-schema.ts';
import { latin1 } from '../request/latin1.ts';
import { BAD_REQUEST, type ErrorAnswers, REQUEST_TIMEOUT } from './error-answer.ts';
import { endSoon } from './linger.ts';
import { LONGEST_PLAIN_HEAD, type PlainHead, readPlainRequest } from './plain-request.ts';
import { type PlainOwner, PlainRequest, PlainResponse } from './plain-response.ts';

/** Takes the requests that our own reader has read. */
export type PlainListener = (request: PlainRequest, response: PlainResponse) => void;

/** Bytes that may wait behind a request that is being answered. */
const MOST_WAITING_BYTES = 32 * 1024;

/** Node keeps a connection for so much longer than it says, in milliseconds: the visitor's next request may be on its way. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** Of the protocols that Node's parser takes for HTTP. */
const OTHER_PROTOCOL = /^[^\r\n]* (?:RTSP|ICE)\/[\d.]+\r?\n/;

interface Shared {
  begin: PlainListener;
  errors: ErrorAnswers;
  headTimeoutMs: number;
  /** Bytes; longer heads are Node's. */
  longestHead: number;
  idleMs: number;
  keepAliveS: number;
  /** Node's own listener for a new connection. */
  handOver(socket: Socket): void;
}

const CONNECTION = Symbol('plain connection');

type OwnedSocket = Socket & { [CONNECTION]?: PlainConnection | undefined };

/**
 * Reads each new connection's requests as long as they are plain ones; the first other one goes, with all that follows on its
 * connection, to Node's server. Must come before whatever else listens for connections.
 */
export function readPlainRequests(
  server: Server,
  config: ProxyConfig,
  errors: ErrorAnswers,
  begin: PlainListener,
): void {
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  const ofNode = server.listeners(event) as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners(event);
  const { keepAliveTimeoutMs, limits } = config;
  const shared: Shared = {
    begin,
    errors,
    headTimeoutMs: limits.headersTimeoutMs,
    longestHead: Math.min(LONGEST_PLAIN_HEAD, limits.headerBytes),
    idleMs: keepAliveTimeoutMs === 0 ? 0 : keepAliveTimeoutMs + KEEP_ALIVE_MARGIN_MS,
    keepAliveS: Math.floor(keepAliveTimeoutMs / 1000),
    handOver(socket) {
      for (const listener of ofNode) listener.call(server, socket);
    },
  };
  server.on(event, (socket: Socket) => {
    const { alpnProtocol } = socket as { alpnProtocol?: string | false };
    if (alpnProtocol && alpnProtocol !== 'http/1.1') shared.handOver(socket);
    else new PlainConnection(socket, shared).begin();
  });
}

/** A visitor's connection whose requests have all been plain so far; they are worked on one at a time. */
class PlainConnection implements PlainOwner {
  readonly socket: OwnedSocket;
  readonly #shared: Shared;
  /** What has come and is not worked on yet. */
  #bytes: Buffer | null = null;
  #current: PlainResponse | null = null;
  #isReading = false;
  #headTimer: NodeJS.Timeout | null = null;

  constructor(socket: OwnedSocket, shared: Shared) {
    this.socket = socket;
    this.#shared = shared;
    socket[CONNECTION] = this;
  }

  get keepAliveS(): number {
    return this.#shared.keepAliveS;
  }

  begin(): void {
    const { socket } = this;
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.on('timeout', onTimeout);
    socket.setTimeout(this.#shared.idleMs);
  }

  received(bytes: Buffer): void {
    this.#bytes = this.#bytes === null ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.#current === null) this.#readOn();
    else if (this.#bytes.length > MOST_WAITING_BYTES) this.socket.pause();
  }

  closed(): void {
    this.#headHasCome();
    this.#bytes = null;
    const current = this.#current;
    this.#current = null;
    current?.closed();
  }

  stoodStill(): void {
    if (this.#current === null && this.#bytes === null) this.socket.destroy();
  }

  answered({ shouldKeepAlive }: PlainResponse): void {
    this.#current = null;
    const { socket } = this;
    if (!shouldKeepAlive) {
      socket.destroySoon();
      return;
    }
    if (this.#bytes !== null) this.#readOn();
    if (socket.isPaused() && this.#current === null && socket[CONNECTION] === this) socket.resume();
  }

  /** A loop, for an answer may be there at once and another request behind it. */
  #readOn(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#bytes !== null && this.#current === null && !this.socket.destroyed) {
      const bytes: Buffer = this.#bytes;
      const { longestHead } = this.#shared;
      const read = readPlainRequest(latin1(bytes, 0, Math.min(bytes.length, longestHead)));
      if (read === 'other' || (read === 'more' && bytes.length >= longestHead)) {
        this.#handOver(bytes);
        break;
      }
      if (read === 'more') {
        this.#headTimer ??= setTimeout(() => this.#headIsLate(), this.#shared.headTimeoutMs);
        break;
      }
      this.#headHasCome();
      this.#bytes = read.end === bytes.length ? null : bytes.subarray(read.end);
      this.#answer(read);
    }
    this.#isReading = false;
  }

  #answer(head: PlainHead): void {
    const request = new PlainRequest(head, this.socket);
    const response = new PlainResponse(this, request);
    this.#current = response;
    this.#shared.begin(request, response);
  }

  #headHasCome(): void {
    if (this.#headTimer === null) return;
    clearTimeout(this.#headTimer);
    this.#headTimer = null;
  }

  #headIsLate(): void {
    this.#leave();
    endSoon(this.socket, this.#shared.errors.raw(undefined, REQUEST_TIMEOUT));
  }

  /** Gives the connection to Node's server, with the bytes that are no plain request. */
  #handOver(bytes: Buffer): void {
    const { socket } = this;
    this.#leave();
    if (OTHER_PROTOCOL.test(latin1(bytes, 0, Math.min(bytes.length, LONGEST_PLAIN_HEAD)))) {
      endSoon(socket, this.#shared.errors.raw(undefined, BAD_REQUEST));
      return;
    }
    socket.pause();
    socket.unshift(bytes);
    this.#shared.handOver(socket);
    socket.resume();
  }

  #leave(): void {
    const { socket } = this;
    this.#headHasCome();
    this.#bytes = null;
    socket[CONNECTION] = undefined;
    socket.setTimeout(0);
    socket.off('data', onData);
    socket.off('end', onEnd);
    socket.off('error', onError);
    socket.off('close', onClose);
    socket.off('timeout', onTimeout);
  }
}

// One function for all connections: there may be ten thousand.

function onData(this: OwnedSocket, bytes: Buffer): void {
  this[CONNECTION]?.received(bytes);
}

/** The visitor sends no more, and does not wait either: Node's server takes it so as well. */
function onEnd(this: OwnedSocket): void {
  this.end();
}

function onError(): void {}

function onClose(this: OwnedSocket): void {
  this[CONNECTION]?.closed();
}

function onTimeout(this: OwnedSocket): void {
  this[CONNECTION]?.stoodStill();
}

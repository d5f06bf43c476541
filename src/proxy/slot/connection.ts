import { Socket } from 'node:net';
import { mayKeepAlive } from './answer-framing.ts';
import { type AnswerHead, BadAnswer } from './answer-head.ts';
import { AnswerReader } from './answer-reader.ts';
import { Call, type CallConnection, type SlotRequest } from './call.ts';
import { connectSlot } from './connect.ts';
import { AnswerTimeout, ConnectionLost } from './failure.ts';
import { readBuffer } from './read-buffer.ts';

export interface ConnectionLimits {
  connectTimeoutMs: number;
  /** Between two pieces of an answer's body. 0: none. */
  bodyTimeoutMs: number;
}

/**
 * Is told that another request may follow.
 *
 * @param hint the slot's word on how long: its `Keep-Alive` field
 */
export type OnIdle = (connection: Connection, hint: string | undefined) => void;

/** A connection to a slot, for requests without a body, one at a time. */
export class Connection implements CallConnection {
  /** `performance.now()` from which on it must not be used again; its keeper's. */
  usableUntil = 0;
  readonly #limits: ConnectionLimits;
  readonly #onIdle: OnIdle;
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #call: Call | null = null;
  #hasAnswered = false;
  #isTimed = false;
  #error: Error | undefined;

  constructor(limits: ConnectionLimits, onIdle: OnIdle) {
    this.#limits = limits;
    this.#onIdle = onIdle;
    this.#socket = new Socket({
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#receive(length) },
    });
  }

  /** Connects, and sends the first request. */
  open(port: number, request: SlotRequest): void {
    const call = new Call(this, request);
    connectSlot(port, this.#limits.connectTimeoutMs, this.#socket, (error) => {
      if (error) return call.fail(error);
      this.#socket.on('error', (error) => {
        this.#error = error;
      });
      this.#socket.on('end', () => this.#ended());
      this.#socket.on('close', () => this.#closed());
      this.#socket.on('timeout', () => this.#stoodStill());
      this.#begin(call);
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends another request. */
  send(request: SlotRequest): void {
    this.#begin(new Call(this, request));
  }

  #begin(call: Call): void {
    this.#call = call;
    this.#reader.begin(call.request.method);
    call.start();
    // Is lost on a connection that the handler has just given up.
    this.#socket.write(call.request.head, 'latin1');
  }

  abandon(call: Call, reason: Error): void {
    if (this.#call === call) this.#socket.destroy(reason);
  }

  readOn(call: Call): void {
    if (this.#call === call) this.#socket.resume();
  }

  /** @returns whether to read on */
  #receive(length: number): boolean {
    try {
      this.#read(length);
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
    return this.#call === null || !this.#call.paused;
  }

  #read(length: number): void {
    const call = this.#call;
    if (call === null) throw new BadAnswer('the slot sent what nobody has asked for');
    call.begin();
    const taken = this.#reader.read(readBuffer, length, call);
    if (this.#reader.isOver) this.#finish(call, taken === length);
    else if (this.#reader.head !== null) this.#limitWait();
  }

  /** @param isClean nothing has come after the answer */
  #finish(call: Call, isClean: boolean): void {
    const head = this.#reader.head as AnswerHead;
    this.#call = null;
    this.#hasAnswered = true;
    if (this.#isTimed) this.#socket.setTimeout(0);
    this.#isTimed = false;
    if (isClean && mayKeepAlive(head)) this.#onIdle(this, head.known['keep-alive']);
    else this.#socket.destroy();
    call.end(this.#reader.trailers);
  }

  /** Most answers are whole with their first piece, and need no timer. */
  #limitWait(): void {
    if (this.#isTimed || this.#limits.bodyTimeoutMs === 0) return;
    this.#isTimed = true;
    this.#socket.setTimeout(this.#limits.bodyTimeoutMs);
  }

  #stoodStill(): void {
    // While it is the visitor who is slow the slot has nothing to answer for.
    if (this.#call?.paused) this.#socket.setTimeout(this.#limits.bodyTimeoutMs);
    else this.#socket.destroy(new AnswerTimeout());
  }

  /** The slot has closed its side. */
  #ended(): void {
    if (this.#call !== null && this.#reader.endsWithConnection) this.#finish(this.#call, false);
    else this.#socket.destroy();
  }

  #closed(): void {
    const call = this.#call;
    if (call === null) return;
    this.#call = null;
    const error = this.#error;
    // What the system reports of a connection says no more than that it is lost.
    const isKnown = error !== undefined && !('syscall' in error);
    call.fail(isKnown ? error : new ConnectionLost(this.#hasAnswered, error));
  }
}

import { Socket } from 'node:net';
import { ifStillSilent } from '../../after-reading.ts';
import type { LiveSetMember } from '../live-set.ts';
import { mayKeepAlive } from './answer-framing.ts';
import { type AnswerHead, BadAnswer } from './answer-head.ts';
import { AnswerReader, type AnswerSink } from './answer-reader.ts';
import type { CallConnection, SlotCall } from './call.ts';
import { type Address, connectSlot } from './connect.ts';
import { AnswerTimeout, ConnectionLost } from './failure.ts';
import { copyOut, readBuffer } from './read-buffer.ts';

export interface ConnectionLimits {
  connectTimeoutMs: number;
  /** Between two pieces of an answer's body. 0: none. */
  bodyTimeoutMs: number;
  /** Of an answer's head, in bytes. */
  headBytes: number;
}

export interface ConnectionOwner {
  /**
   * Another request may follow.
   *
   * @param hint the slot's word on how long: its `Keep-Alive` field
   */
  onIdle(connection: SlotConnection, hint: string | undefined): void;
  /** The connection has taken its leave of a call, answered or not. */
  onFree(connection: SlotConnection): void;
}

/** A connection to a slot, for one request at a time. */
export class SlotConnection implements CallConnection, AnswerSink, LiveSetMember {
  liveIndex = -1;
  /** `performance.now()` from which on it must not be used again; its owner's. */
  usableUntil = 0;
  readonly #limits: ConnectionLimits;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader: AnswerReader;
  #call: SlotCall | null = null;
  #isPaused = false;
  #isTimed = false;
  #error: Error | undefined;
  /** The part of the read buffer that holds what this read has brought of the body. */
  #from = 0;
  #to = 0;

  constructor(limits: ConnectionLimits, owner: ConnectionOwner) {
    this.#limits = limits;
    this.#owner = owner;
    this.#reader = new AnswerReader(limits.headBytes);
    this.#socket = new Socket({
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#receive(length) },
    });
  }

  /**
   * Connects, and sends the first request.
   *
   * @param refused is told in the call's place when no connection is made
   */
  open(address: Address, call: SlotCall, refused?: (error: Error) => void): void {
    const socket = this.#socket;
    connectSlot(address, this.#limits.connectTimeoutMs, socket, (error) => {
      if (error) {
        this.#owner.onFree(this);
        if (refused) refused(error);
        else call.onFailure(error);
        return;
      }
      socket.on('error', (error) => {
        this.#error = error;
      });
      socket.on('drain', () => this.#call?.onWritable());
      socket.on('end', () => this.#ended());
      socket.on('close', () => this.#closed());
      socket.on('timeout', () => this.#stoodStill());
      this.send(call);
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends another request. */
  send(call: SlotCall): void {
    this.#call = call;
    this.#isPaused = false;
    this.#reader.begin(call.method);
    if (!call.onSent(this)) this.abandon(call);
    else if (call.isWhollySent) this.#socket.write(call.head, 'latin1');
    else call.onWritable();
  }

  write(call: SlotCall, bytes: Buffer): boolean {
    return this.#call !== call || this.#socket.write(bytes);
  }

  pause(call: SlotCall): void {
    if (this.#call === call) this.#isPaused = true;
  }

  readOn(call: SlotCall): void {
    if (this.#call !== call || !this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  abandon(call: SlotCall): void {
    if (this.#call !== call) return;
    this.#free();
    this.#socket.destroy();
  }

  /** Whether its call is over or elsewhere, and has not said so. */
  get isLeaked(): boolean {
    return this.#call !== null && !this.#call.isOn(this);
  }

  endLeaked(): void {
    if (this.#call !== null) this.abandon(this.#call);
  }

  #free(): void {
    this.#call = null;
    this.#owner.onFree(this);
  }

  /** @returns whether to read on */
  #receive(length: number): boolean {
    try {
      this.#read(length);
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
    return this.#call === null || !this.#isPaused;
  }

  #read(length: number): void {
    const call = this.#call;
    if (call === null) throw new BadAnswer('the slot sent what nobody has asked for');
    this.#from = 0;
    this.#to = 0;
    let taken = length;
    try {
      taken = this.#reader.read(readBuffer, length, this);
    } finally {
      // Pass on the bytes that came before a fault.
      if (this.#to > this.#from) this.#pass();
    }
    if (this.#call !== call) return;
    if (this.#reader.isOver) this.#finish(call, taken === length);
    else if (this.#reader.head !== null) this.#limitWait();
  }

  #pass(): void {
    const call = this.#call;
    if (call !== null) call.onData(copyOut(this.#from, this.#to, call.waitingPieces > 0));
  }

  onHead(head: AnswerHead): void {
    this.#call?.onHead(head);
  }

  /** Joins the pieces of one read where they lie: an answer in many small chunks costs one copy and one write. */
  onData(from: number, to: number): void {
    if (this.#to === this.#from) {
      this.#from = from;
      this.#to = to;
      return;
    }
    readBuffer.copyWithin(this.#to, from, to);
    this.#to += to - from;
  }

  /** @param isClean nothing has come after the answer */
  #finish(call: SlotCall, isClean: boolean): void {
    const head = this.#reader.head as AnswerHead;
    this.#free();
    if (this.#isTimed) this.#socket.setTimeout(0);
    this.#isTimed = false;
    if (isClean && call.isWhollySent && mayKeepAlive(head, call.method)) {
      this.#owner.onIdle(this, head.known['keep-alive']);
    } else this.#socket.destroy();
    call.onEnd(this.#reader.trailers);
  }

  /** Most answers are whole with their first piece, and need no timer. */
  #limitWait(): void {
    if (this.#isTimed || this.#limits.bodyTimeoutMs === 0) return;
    this.#isTimed = true;
    this.#socket.setTimeout(this.#limits.bodyTimeoutMs);
  }

  #stoodStill(): void {
    // While it is the visitor who is slow the slot has nothing to answer for.
    if (this.#isPaused) {
      this.#socket.setTimeout(this.#limits.bodyTimeoutMs);
      return;
    }
    ifStillSilent(this.#socket, () => {
      if (this.#isTimed) this.#socket.destroy(new AnswerTimeout());
    });
  }

  /** The slot has closed its side. */
  #ended(): void {
    if (this.#call !== null && this.#reader.endsWithConnection) this.#finish(this.#call, false);
    else this.#socket.destroy();
  }

  #closed(): void {
    const call = this.#call;
    if (call === null) return;
    this.#free();
    const error = this.#error;
    // An error of the system, ECONNRESET for instance, means only that the connection is lost.
    const isKnown = error !== undefined && !('syscall' in error);
    call.onFailure(isKnown ? error : new ConnectionLost(error));
  }
}

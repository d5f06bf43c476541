import type { AnswerHead } from '../slot/answer-head.ts';
import type { CallConnection, SlotCall } from '../slot/call.ts';
import type { SlotConnections } from '../slot/connections.ts';
import { ANY_INSTANCE } from '../slot/instances.ts';
import { requestHead } from '../slot/request-head.ts';
import type { Fill } from './fill.ts';

/** Asks a slot for an answer that no visitor waits for: one that gets old (RFC 5861 §3), or will be asked for after a flip. */
export class Refresh implements SlotCall {
  readonly method = 'GET';
  readonly head: string;
  readonly isWhollySent = true;
  readonly wantedInstance = ANY_INSTANCE;
  instance = ANY_INSTANCE;
  readonly waitingPieces = 0;
  readonly #fill: Fill;
  readonly #begin: (head: AnswerHead, requestHead: string) => void;
  readonly #onOver: () => void;
  readonly #timer: NodeJS.Timeout;
  #connection: CallConnection | null = null;
  #isOver = false;

  /**
   * @param begin tells the fill of the answer's head
   * @param limitMs for all of the answer
   * @param onOver is called once, when it has come or is not going to
   */
  constructor(
    path: string,
    headers: readonly string[],
    fill: Fill,
    begin: (head: AnswerHead, requestHead: string) => void,
    limitMs: number,
    onOver: () => void = () => {},
  ) {
    this.head = requestHead('GET', path, fill.headers ?? headers);
    this.#fill = fill;
    this.#begin = begin;
    this.#onOver = onOver;
    this.#timer = setTimeout(() => this.#giveUp(), limitMs).unref();
  }

  send(client: SlotConnections): void {
    client.send(this, 'kept');
  }

  onSent(connection: CallConnection): boolean {
    if (this.#isOver) return false;
    this.#connection = connection;
    return true;
  }

  isOn(connection: CallConnection): boolean {
    return this.#connection === connection;
  }

  onWritable(): void {}

  onHead(head: AnswerHead): void {
    if (head.status >= 200) this.#begin(head, this.head);
  }

  onData(bytes: Buffer): void {
    this.#fill.data(bytes);
  }

  onEnd(): void {
    this.#leave();
    this.#fill.end();
    this.#onOver();
  }

  onFailure(): void {
    this.#leave();
    this.#fill.drop();
    this.#onOver();
  }

  #giveUp(): void {
    const connection = this.#connection;
    this.#leave();
    connection?.abandon(this);
    this.#fill.drop();
    this.#onOver();
  }

  #leave(): void {
    this.#isOver = true;
    this.#connection = null;
    clearTimeout(this.#timer);
  }
}

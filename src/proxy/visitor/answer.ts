import { sendSoon, type Waiting } from '../send-soon.ts';
import type { VisitorResponse } from './kinds.ts';
import { breakOff, cork, endWith, uncork, writeHead } from './response.ts';

/** A slot's answer on its way to the visitor, kept back until the end of the turn in which it has begun. */
export class Answer implements Waiting {
  readonly #response: VisitorResponse;
  /** Bytes of the body still to come, or -1 when its length is not known. */
  #remaining: number;
  #isWaiting = true;
  #bodyBegun = false;
  /** The end of the body, for as long as the answer waits. */
  #last: Buffer | null = null;
  #endsSoon = false;

  /**
   * Begins the answer.
   *
   * @param fields as the visitor gets them
   * @param length of the body in bytes, or -1 when it is not known
   */
  constructor(
    response: VisitorResponse,
    status: number,
    message: string,
    fields: string[],
    length: number,
  ) {
    this.#response = response;
    this.#remaining = length;
    writeHead(response, status, message, fields);
    sendSoon(this);
  }

  sendNow(): void {
    const response = this.#response;
    this.#isWaiting = false;
    if (response.destroyed || response.writableEnded) return;
    if (this.#last !== null) endWith(response, this.#last);
    else if (this.#endsSoon) response.end();
    else if (this.#bodyBegun) uncork(response);
    // The first byte of the body may be minutes away, and the head must not wait for it.
    else response.flushHeaders();
  }

  failed(): void {
    breakOff(this.#response);
  }

  /** @returns whether the visitor takes more at once; `onDrain` tells otherwise */
  write(chunk: Buffer): boolean {
    const response = this.#response;
    if (this.#remaining !== -1) {
      this.#remaining -= chunk.length;
      if (this.#remaining <= 0) return this.#writeLast(chunk);
    }
    if (!this.#bodyBegun) {
      this.#bodyBegun = true;
      if (this.#isWaiting) cork(response);
    }
    return response.write(chunk);
  }

  /** Head, body and end leave in one write to the socket. */
  #writeLast(chunk: Buffer): true {
    if (this.#isWaiting) this.#last = chunk;
    else endWith(this.#response, chunk);
    return true;
  }

  end(): void {
    if (this.#isWaiting) this.#endsSoon = true;
    else if (!this.#response.writableEnded) this.#response.end();
  }
}

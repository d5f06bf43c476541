import { close, read } from 'node:fs';
import type { CallConnection, SlotCall } from '../slot/call.ts';

/** Read and handed on at a time, in bytes. */
const PIECE_BYTES = 65_536;

/**
 * Stands in a slot's connection for one call: what it reads of a file comes to the call as a body does, at the visitor's
 * own speed.
 */
export class FileSource implements CallConnection {
  readonly #fd: number;
  readonly #call: SlotCall;
  #at = 0;
  #end = 0;
  #isPaused = false;
  #isReading = false;
  #isOver = false;
  #isClosed = false;

  /** @param fd is closed at the end, whatever that is */
  constructor(fd: number, call: SlotCall) {
    this.#fd = fd;
    this.#call = call;
  }

  /**
   * Sends these bytes to the call, which has the head.
   *
   * @param to the byte after the last one
   */
  begin(from: number, to: number): void {
    // The cache may have had an answer of its own.
    if (this.#isOver) return;
    this.#at = from;
    this.#end = to;
    if (this.#at === this.#end) this.#finish();
    else this.#readOn();
  }

  write(): boolean {
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  readOn(): void {
    this.#isPaused = false;
    this.#readOn();
  }

  abandon(): void {
    this.#isOver = true;
    this.#close();
  }

  #readOn(): void {
    if (this.#isPaused || this.#isReading || this.#isOver) return;
    const bytes = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, this.#end - this.#at));
    this.#isReading = true;
    read(this.#fd, bytes, 0, bytes.length, this.#at, (error, count) => {
      this.#isReading = false;
      if (this.#isOver) this.#close();
      else if (error) this.#fail(error);
      // Somebody has cut the file short: what is missing must not look like its end.
      else if (count === 0) this.#fail(new Error('the file ends before its length'));
      else this.#pass(bytes.subarray(0, count));
    });
  }

  #pass(bytes: Buffer): void {
    this.#at += bytes.length;
    this.#call.onData(bytes);
    if (this.#isOver) return;
    if (this.#at === this.#end) this.#finish();
    else this.#readOn();
  }

  #finish(): void {
    this.abandon();
    this.#call.onEnd([]);
  }

  #fail(error: Error): void {
    this.abandon();
    this.#call.onFailure(error);
  }

  /** A file that is being read keeps its number until the read is done: the next file to be opened would get it. */
  #close(): void {
    if (this.#isReading || this.#isClosed) return;
    this.#isClosed = true;
    close(this.#fd, () => {});
  }
}

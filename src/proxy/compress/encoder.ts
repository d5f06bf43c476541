import type { Transform } from 'node:stream';
import { sendSoon, type Waiting } from '../send-soon.ts';
import type { Coding } from './codings.ts';
import { createStream } from './streams.ts';
import { encodeNow, MOST_BYTES_NOW } from './whole.ts';

/** Where the bytes go that have been compressed. */
export interface EncoderSink {
  /** @returns whether the visitor takes more at once; `whenTaken` calls back otherwise */
  write(bytes: Buffer): boolean;
  whenTaken(goOn: () => void): void;
  /** All of it has been written. */
  end(): void;
  failed(error: Error): void;
}

/** Where the bytes go that the slot has sent. */
export interface BodyEncoder {
  /** @returns whether it takes more at once; `onRoom` calls back otherwise */
  write(bytes: Buffer): boolean;
  onRoom(goOn: () => void): void;
  end(): void;
  /** Nothing more is wanted. */
  destroy(): void;
}

/** What may wait for the compressor: pieces take more memory than their bytes. */
const MOST_HELD_BYTES = 65_536;
const MOST_HELD_PIECES = 256;

/**
 * Compresses the body of one answer.
 *
 * A body that has come as a whole, and is no larger than most pages, is compressed at once: a stream and the way to
 * Node's thread pool and back cost more than that (bench/README.md, *Compression*). Any other goes through a stream, which
 * has one piece at a time, and flushes it: what has come meanwhile is the next one. So a visitor sees what the site has
 * written as soon as it is compressed, and no queue of the stream's own has to be watched.
 */
export class Encoder implements BodyEncoder, Waiting {
  readonly #coding: Coding;
  readonly #sink: EncoderSink;
  #onClosed: (() => void) | null;
  /** From the first piece that is not the whole body. */
  #stream: Transform | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isBusy = false;
  #willSend = false;
  #ends = false;
  #hasEnded = false;
  #onRoom: (() => void) | null = null;

  /** @param onClosed is called once, when there is no more to do */
  constructor(coding: Coding, sink: EncoderSink, onClosed: () => void) {
    this.#coding = coding;
    this.#sink = sink;
    this.#onClosed = onClosed;
  }

  write(bytes: Buffer): boolean {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    // The end of the body may come in the same turn: then the last piece needs no flush of its own.
    if (!this.#isBusy && !this.#willSend) {
      this.#willSend = true;
      sendSoon(this);
    }
    return this.#hasRoom();
  }

  onRoom(goOn: () => void): void {
    this.#onRoom = goOn;
  }

  end(): void {
    this.#ends = true;
    this.#guarded(() => this.#next());
  }

  destroy(): void {
    if (this.#onClosed === null) return;
    this.#onClosed();
    this.#onClosed = null;
    this.#held = [];
    this.#onRoom = null;
    this.#stream?.destroy();
  }

  sendNow(): void {
    this.#willSend = false;
    this.#next();
  }

  failed(error: Error): void {
    if (this.#onClosed === null) return;
    this.destroy();
    this.#sink.failed(error);
  }

  #hasRoom(): boolean {
    return this.#heldBytes < MOST_HELD_BYTES && this.#held.length < MOST_HELD_PIECES;
  }

  #next(): void {
    if (this.#isBusy || this.#hasEnded || this.#onClosed === null) return;
    if (this.#held.length === 0 && !this.#ends) return;
    const piece = this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#ends) {
      this.#hasEnded = true;
      if (this.#stream === null && piece.length <= MOST_BYTES_NOW) this.#encodeNow(piece);
      else this.#streamOf().end(piece);
      return;
    }
    this.#isBusy = true;
    // Called back once all of it has been read from the stream, or has room there.
    this.#streamOf().write(piece, () => {
      this.#isBusy = false;
      this.#guarded(() => this.#next());
    });
    const onRoom = this.#onRoom;
    this.#onRoom = null;
    onRoom?.();
  }

  #encodeNow(body: Buffer): void {
    this.#sink.write(encodeNow(body, this.#coding));
    this.#sink.end();
    this.destroy();
  }

  #streamOf(): Transform {
    if (this.#stream !== null) return this.#stream;
    const stream = createStream(this.#coding);
    this.#stream = stream;
    stream.on('data', (bytes: Buffer) => this.#guarded(() => this.#passOn(stream, bytes)));
    stream.on('end', () => {
      this.#guarded(() => this.#sink.end());
      this.destroy();
    });
    stream.on('error', (error) => this.failed(error));
    return stream;
  }

  #passOn(stream: Transform, bytes: Buffer): void {
    if (this.#sink.write(bytes)) return;
    stream.pause();
    this.#sink.whenTaken(() => stream.resume());
  }

  /** What is thrown ends this answer, never the process. */
  #guarded(step: () => void): void {
    if (this.#onClosed === null) return;
    try {
      step();
    } catch (error) {
      this.failed(error as Error);
    }
  }
}

import { latin1 } from '../request/latin1.ts';
import { BadAnswer, parseFields } from './answer-head.ts';

/** For a chunk's size and its extensions, and for all trailers; in bytes. */
const LONGEST_SIZE_LINE = 4096;
const LONGEST_TRAILERS = 16_384;

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+";
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t\\x20-\\x7e])*"';

/** A size of at most 2^52 bytes, and extensions, which are for the last hop only (RFC 9112 §7.1.1). */
const SIZE_LINE = new RegExp(
  `^([0-9A-Fa-f]{1,13})(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*\\r\\n$`,
);

type Part = 'size' | 'data' | 'data end' | 'trailers' | 'over';

/** Told each piece of the body: where it begins and ends in the bytes that are being read. */
export interface DataSink {
  onData(from: number, to: number): void;
}

/** Takes the chunked coding off a body (RFC 9112 §7.1). */
export class ChunkedBody {
  /** Pairs of name and value, once all has come. */
  trailers: string[] = [];
  #part: Part = 'size';
  /** Bytes of this chunk that are still to come. */
  #remaining = 0;
  /** The part of a line that has come so far. */
  #line = '';

  get isOver(): boolean {
    return this.#part === 'over';
  }

  /**
   * Reads on, to the end of the body if it is there.
   *
   * @param from where in `bytes` to begin
   * @returns where in `bytes` it stopped
   * @throws BadAnswer
   */
  read(bytes: Buffer, from: number, sink: DataSink): number {
    let at = from;
    while (at < bytes.length && this.#part !== 'over') {
      if (this.#part === 'data') {
        const end = Math.min(bytes.length, at + this.#remaining);
        this.#remaining -= end - at;
        if (this.#remaining === 0) this.#part = 'data end';
        sink.onData(at, end);
        at = end;
      } else {
        at = this.#readLine(bytes, at);
      }
    }
    return at;
  }

  #readLine(bytes: Buffer, from: number): number {
    const newline = bytes.indexOf(0x0a, from);
    const whole = newline !== -1;
    const end = whole ? newline + 1 : bytes.length;
    this.#line += latin1(bytes, from, end);
    // A line that ends without CR would be waited for.
    if (whole && !this.#line.endsWith('\r\n')) throw new BadAnswer(BAD_CHUNK);
    if (this.#part === 'trailers') this.#readTrailers();
    else if (whole) this.#readFrame();
    else if (this.#line.length > LONGEST_SIZE_LINE) throw new BadAnswer(BAD_CHUNK);
    return end;
  }

  #readFrame(): void {
    const line = this.#line;
    this.#line = '';
    if (this.#part === 'data end') {
      if (line !== '\r\n') throw new BadAnswer(BAD_CHUNK);
      this.#part = 'size';
      return;
    }
    const size = SIZE_LINE.exec(line);
    if (size === null) throw new BadAnswer(BAD_CHUNK);
    this.#remaining = Number.parseInt(size[1] as string, 16);
    this.#part = this.#remaining === 0 ? 'trailers' : 'data';
  }

  #readTrailers(): void {
    if (this.#line.length > LONGEST_TRAILERS)
      throw new BadAnswer('the slot sent too many trailers');
    if (this.#line !== '\r\n' && !this.#line.endsWith('\r\n\r\n')) return;
    this.trailers = parseFields(this.#line).fields;
    this.#part = 'over';
  }
}

const BAD_CHUNK = 'the slot sent a chunk that is none';

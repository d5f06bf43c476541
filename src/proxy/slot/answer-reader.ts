import { latin1 } from '../request/latin1.ts';
import { bodyLength, CHUNKED, UNTIL_CLOSE } from './answer-framing.ts';
import { type AnswerHead, BadAnswer, parseAnswerHead } from './answer-head.ts';
import { ChunkedBody, type DataSink } from './chunked-body.ts';

/** The receiver of an answer, called while the answer is read. */
export interface AnswerSink extends DataSink {
  /** For informational heads too (RFC 9110 §15.2). */
  onHead(head: AnswerHead): void;
}

/** How much is looked through at a time for the end of a head; most heads are shorter. */
const HEAD_PIECE = 2048;

const PROTOCOL = 'HTTP/1.';

/** Such a head would never come to the empty line that ends one. */
const BARE_LF = /(?:^|[^\r])\n/;

/** Reads the answers that come on one connection, one after another. */
export class AnswerReader {
  /** The final head of this answer, once it has come. */
  head: AnswerHead | null = null;
  #method = '';
  /** The part of a head that has come so far. */
  #text = '';
  /** Bytes of the body still to come, `CHUNKED` or `UNTIL_CLOSE`. */
  #remaining = 0;
  #chunks: ChunkedBody | null = null;
  readonly #headBytes: number;

  /** @param headBytes the size of the largest head that is taken */
  constructor(headBytes: number) {
    this.#headBytes = headBytes;
  }

  /** Another answer is to come, to a request of this method. */
  begin(method: string): void {
    this.head = null;
    this.#method = method;
    this.#chunks = null;
  }

  /** Whether the answer has come to its end. */
  get isOver(): boolean {
    if (this.head === null) return false;
    return this.#chunks === null ? this.#remaining === 0 : this.#chunks.isOver;
  }

  /** Whether the end of the connection is the end of the answer as well. */
  get endsWithConnection(): boolean {
    return this.head !== null && this.#remaining === UNTIL_CLOSE;
  }

  /** The fields after the body, name and value in turn. */
  get trailers(): string[] {
    return this.#chunks?.trailers ?? [];
  }

  /**
   * Reads on.
   *
   * @param length how many of the bytes have been read
   * @returns how many of them belong to this answer
   * @throws BadAnswer
   */
  read(bytes: Buffer, length: number, sink: AnswerSink): number {
    let at = 0;
    while (this.head === null && at < length) at = this.#readHead(bytes, at, length, sink);
    if (this.head === null || at === length) return at;
    return this.#readBody(bytes, at, length, sink);
  }

  #readHead(bytes: Buffer, from: number, length: number, sink: AnswerSink): number {
    const before = this.#text.length;
    const to = Math.min(length, from + HEAD_PIECE);
    this.#text += latin1(bytes, from, to);
    const end = this.#text.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (end === -1) {
      this.#refuseHopeless();
      return to;
    }
    const text = this.#text.slice(0, end + 4);
    this.#text = '';
    this.#take(parseAnswerHead(text), sink);
    return from + text.length - before;
  }

  /** Refuses a head that can never become whole, instead of waiting for the rest of it. */
  #refuseHopeless(): void {
    const text = this.#text;
    if (text.length > this.#headBytes)
      throw new BadAnswer(
        `the slot sent a head of more than ${this.#headBytes} bytes (proxy.limits.answerHeadBytes)`,
      );
    if (BARE_LF.test(text)) throw new BadAnswer('the slot sent a line that ends without CR');
    if (text.startsWith(PROTOCOL) || PROTOCOL.startsWith(text)) return;
    throw new BadAnswer('the slot does not speak HTTP/1');
  }

  #take(head: AnswerHead, sink: AnswerSink): void {
    // Nobody has asked for another protocol (RFC 9110 §15.2.2), and HTTP/1.0 has no such answers (§15.2).
    if (head.status === 101 || (head.status < 200 && head.isHttp10)) {
      throw new BadAnswer(`the slot sent a ${head.status} that must not be`);
    }
    const remaining = bodyLength(head, this.#method);
    if (head.status >= 200) {
      this.head = head;
      this.#remaining = remaining;
      if (remaining === CHUNKED) this.#chunks = new ChunkedBody();
    }
    sink.onHead(head);
  }

  #readBody(bytes: Buffer, from: number, length: number, sink: AnswerSink): number {
    if (this.#chunks !== null) return this.#chunks.read(bytes.subarray(0, length), from, sink);
    if (this.#remaining === UNTIL_CLOSE) {
      sink.onData(from, length);
      return length;
    }
    const to = Math.min(length, from + this.#remaining);
    this.#remaining -= to - from;
    if (to > from) sink.onData(from, to);
    return to;
  }
}

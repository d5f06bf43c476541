import type { AnswerHead } from './answer-head.ts';

/** One request on its way over a connection, and who is told of its answer. */
export interface SlotCall {
  readonly method: string;
  /** All of its head, as it goes over the wire. */
  readonly head: string;
  /** Whether there is no body, or all of it has been sent: only then may another request follow on the connection. */
  readonly isWhollySent: boolean;
  /** The instance that the visitor is to stay with; -1 for any. */
  readonly wantedInstance: number;
  /** The instance that gets it, where instances can be told apart; -1 otherwise. */
  instance: number;
  /** How many pieces of its answer wait for the visitor. What joins them gets memory of its own, and of its own size. */
  readonly waitingPieces: number;
  /**
   * Is about to go over this connection. The connection sends the head of a request without a body, and leaves all
   * sending of another one to the call: `onWritable` comes next.
   *
   * @returns whether the request is still wanted
   */
  onSent(connection: CallConnection): boolean;
  /** Whether it still waits for this connection's answer. */
  isOn(connection: CallConnection): boolean;
  /** The connection takes bytes, or takes them again. */
  onWritable(): void;
  /** A head has come; informational ones too (RFC 9110 §15.2). */
  onHead(head: AnswerHead): void;
  /** All that one read has brought of the body. */
  onData(bytes: Buffer): void;
  /** @param trailers name and value in turn */
  onEnd(trailers: string[]): void;
  /** No more comes of the answer, which is not whole. */
  onFailure(error: Error): void;
}

/** The connection as its call sees it. A call that has left it changes nothing. */
export interface CallConnection {
  /** @returns whether it takes more at once; `onWritable` says when otherwise */
  write(call: SlotCall, bytes: Buffer): boolean;
  /** Reads no more until `readOn`. */
  pause(call: SlotCall): void;
  readOn(call: SlotCall): void;
  /** Ends the connection, and tells the call nothing more. */
  abandon(call: SlotCall): void;
}

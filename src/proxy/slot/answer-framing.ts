import { type AnswerHead, BadAnswer } from './answer-head.ts';

/** The body comes in chunks. */
export const CHUNKED = -1;
/** The body ends with the connection. */
export const UNTIL_CLOSE = -2;

/** Longer than 2^53 bytes no number is exact. */
const LENGTH = /^\d{1,15}$/;

/**
 * How long the body of an answer is (RFC 9112 §6.3). What two readers could understand in two ways is refused,
 * where the RFC allows a proxy to repair it.
 *
 * @param method of the request
 * @returns bytes, or `CHUNKED` or `UNTIL_CLOSE`
 * @throws BadAnswer
 */
export function bodyLength({ status, known }: AnswerHead, method: string): number {
  const { 'content-length': length, 'transfer-encoding': coding } = known;
  if (length !== undefined && !LENGTH.test(length)) {
    throw new BadAnswer('the slot sent a Content-Length that is none, or two of them');
  }
  if (length !== undefined && coding !== undefined) {
    throw new BadAnswer('the slot sent both Content-Length and Transfer-Encoding');
  }
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return 0;
  if (coding !== undefined) {
    if (coding.toLowerCase() === 'chunked') return CHUNKED;
    throw new BadAnswer(`the slot sent its body in a transfer coding that nobody asked for`);
  }
  return length === undefined ? UNTIL_CLOSE : Number(length);
}

/**
 * Whether another request may follow on the connection of this answer (RFC 9112 §9.3).
 *
 * A body that must not be there is sent by some servers all the same (after HEAD, or with a 204 or 304 that announces
 * one), and would be taken for the next answer.
 *
 * @param method of the request
 */
export function mayKeepAlive({ status, known, isHttp10 }: AnswerHead, method: string): boolean {
  if (isHttp10 || method === 'HEAD') return false;
  const { connection, 'content-length': length, 'transfer-encoding': coding } = known;
  if ((status === 204 || status === 304) && (length !== undefined || coding !== undefined)) {
    return false;
  }
  if (connection === undefined || connection === 'keep-alive') return true;
  return !/(?:^|,)\s*close\s*(?:,|$)/i.test(connection);
}

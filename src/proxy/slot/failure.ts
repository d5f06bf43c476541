/** How a request to a slot can fail, and what each failure says about it. */
import { InvalidRequest } from './request-head.ts';

/** The slot did not accept a connection in time. */
export class ConnectTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/** The slot has not begun its answer in time, or has stood still in the middle of it. */
export class AnswerTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/** A connection was closed before its answer was whole. */
export class ConnectionLost extends Error {
  constructor(cause: Error | undefined) {
    super('the slot closed the connection', { cause });
  }
}

/** Error codes of a connection that nobody accepts; `ENOENT` is for Unix sockets. */
const REFUSALS = new Set(['ECONNREFUSED', 'ENOENT']);

/** No connection was made, so no byte of the request can have been processed. */
export function wasRefused(error: Error): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === 'connect' && REFUSALS.has(code as string);
}

/** The process that had the request has closed the connection, or is gone. */
export function wasLost(error: Error): boolean {
  return error instanceof ConnectionLost;
}

/** The request cannot be sent: a field or the path has a character that must not be there. */
export function wasInvalid(error: Error): boolean {
  return error instanceof InvalidRequest;
}

export function wasTimeout(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ETIMEDOUT';
}

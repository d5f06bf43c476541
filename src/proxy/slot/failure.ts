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
  /** Whether it had answered before, so that the slot may have closed it for having been idle. */
  readonly wasUsed: boolean;

  constructor(wasUsed: boolean, cause: Error | undefined) {
    super('the slot closed the connection', { cause });
    this.wasUsed = wasUsed;
  }
}

/** No connection was made, so no byte of the request can have been processed. */
export function wasRefused(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}

/** A connection that had answered before was closed. Says nothing about whether it had begun to answer again. */
export function wasUsedConnectionLost(error: Error): boolean {
  return error instanceof ConnectionLost && error.wasUsed;
}

/** The request cannot be sent: a field or the path has a character that must not be there. */
export function wasInvalid(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return (
    error instanceof InvalidRequest ||
    code === 'UND_ERR_INVALID_ARG' ||
    code === 'UND_ERR_NOT_SUPPORTED'
  );
}

export function wasTimeout(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'ETIMEDOUT';
}

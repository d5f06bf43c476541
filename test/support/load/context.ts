import type { IncomingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger } from './ledger.ts';

/** What one event stream of the load has seen. */
export interface StreamRecord {
  events: number;
  /** `stopped`: by us. `clean`: by the server, with the chunked body's end mark. `broken`: without it. */
  end: 'stopped' | 'clean' | 'broken';
}

/** What one WebSocket of the load has seen. */
export interface SocketRecord {
  pongs: number;
  /** The server's close code, `1006` when there was no close frame, `null` when we closed it. */
  closeCode: number | null;
}

/** A request that failed: told apart by its connection, where a fault hits some connections only. */
export interface FailedRequest {
  /** The client's port, or `null` when no connection was made. */
  port: number | null;
  /** By `performance.now()`. */
  begunAt: number;
  endedAt: number;
  error: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Empty when `receive` took it. */
  body: string;
}

/** What the clients of one load share. */
export interface LoadContext {
  origin: string;
  ledger: Ledger;
  /** Aborts when no request may be begun any more. */
  stopping: AbortSignal;
  /** After this many milliseconds a request counts as hung. */
  hungMs: number;
  isAllowed(status: number, path: string): boolean;
  /** What is wrong with an answer, or `null`. */
  complain(path: string, answer: Answer): string | null;
  /** Told the head of each answer. */
  onAnswer(headers: NodeJS.Dict<string | string[]>): void;
  /** Told each failed exchange; an event stream or a WebSocket that broke is not one. */
  onFailed(failed: FailedRequest): void;
  streams: StreamRecord[];
  sockets: SocketRecord[];
}

/** Waits, but not beyond the end of the load. */
export async function pause(load: LoadContext, ms: number): Promise<void> {
  await delay(ms, undefined, { signal: load.stopping }).catch(() => {});
}

export function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}

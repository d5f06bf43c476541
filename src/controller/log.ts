import pino, { type Logger } from 'pino';

export type { Logger };

/**
 * JSON lines with a stable `event` on standard output, which PM2 keeps in its log files. Synchronous: a
 * controller is killed without notice, and its last line is the one that matters.
 */
export function createLog(name: string): Logger {
  return pino({ name, base: { pid: process.pid } }, pino.destination({ fd: 1, sync: true }));
}

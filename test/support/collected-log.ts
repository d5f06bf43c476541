import { Writable } from 'node:stream';
import pino, { type Logger } from 'pino';

export interface CollectedLog {
  log: Logger;
  /** Every line so far, parsed. */
  lines: Record<string, unknown>[];
  /** The lines with this `event`. */
  events(event: string): Record<string, unknown>[];
}

/** A real logger whose lines a test can read. */
export function collectedLog(): CollectedLog {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return {
    log: pino({ level: 'debug' }, sink),
    lines,
    events: (event) => lines.filter((line) => line.event === event),
  };
}

import pino, { type Logger } from 'pino';

export type { Logger };

/**
 * JSON lines with a stable `event` on standard output, which PM2 keeps in its log files. Synchronous: a
 * controller is killed without notice, and its last line is the one that matters.
 */
export function createLog(name: string): Logger {
  let target = open({ fd: 1 });
  // A daemon that has died reads standard output no more: from then on the lines go to PM2's file of this app.
  const file = process.env.pm_out_log_path;
  process.once('disconnect', () => {
    if (file) target = open({ dest: file, append: true });
  });
  const stream = { write: (line: string) => void target.write(line) };
  return pino({ name, base: { pid: process.pid } }, stream);
}

function open(options: { fd: number } | { dest: string; append: true }) {
  const target = pino.destination({ ...options, sync: true });
  // A line that cannot be written (the daemon died a moment ago, the disk is full) must not end the controller.
  target.on('error', () => {});
  return target;
}

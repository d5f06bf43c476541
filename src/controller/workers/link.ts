import type { Duplex } from 'node:stream';
import { z } from 'zod';
import { lines } from '../../wire/lines.ts';
import type { FromWorker, ToWorker } from '../../wire/messages.ts';
import type { Logger } from '../log.ts';
import type { Workers } from './fleet.ts';

const count = z.int().min(0);
const perSlot = z.object({ blue: count, green: count });

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ack'), epoch: count, revision: count }),
  z.object({ type: z.literal('purged'), id: count, urls: count }),
  z.object({ type: z.literal('filled'), id: count, urls: count }),
  z.object({
    type: z.literal('report'),
    inflight: perSlot,
    counters: z.looseObject({}),
  }),
]);

/**
 * Speaks the worker protocol (wire/messages.ts) on an upgraded control connection.
 *
 * @param onCounters gets each report's counters as they came: a worker of another version must not lose its
 *   connection over them
 */
export function serveWorker(
  socket: Duplex,
  pid: number,
  workers: Workers,
  log: Logger,
  onCounters: (pid: number, counters: unknown) => void = () => {},
): void {
  const send = (message: ToWorker) => void socket.write(`${JSON.stringify(message)}\n`);
  const link = workers.join(pid, send);
  log.info({ event: 'worker.join', worker: pid }, `worker ${pid} connected`);

  const refuse = (why: string) => {
    log.warn(
      { event: 'worker.refused', worker: pid },
      `closing worker ${pid}'s connection: ${why}`,
    );
    socket.destroy();
  };
  socket.on(
    'data',
    lines((line) => {
      if (socket.destroyed) return;
      const message = parse(line);
      if (!message) return refuse('a message it cannot mean');
      link.receive(message);
      if (message.type === 'report') onCounters(pid, message.counters);
    }, refuse),
  );
  socket.on('error', () => {});
  socket.on('close', () => {
    link.leave();
    log.info({ event: 'worker.leave', worker: pid }, `worker ${pid} disconnected`);
  });
  socket.on('end', () => socket.end());
}

function parse(line: string): FromWorker | null {
  try {
    return messageSchema.parse(JSON.parse(line)) as FromWorker;
  } catch {
    return null;
  }
}

import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Assignment } from '../wire/assignment.ts';
import { lines } from '../wire/lines.ts';
import { type FromWorker, type ToWorker, WORKER_UPGRADE } from '../wire/messages.ts';

const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 500;

/** Controllers up to 0.1 refuse a report without an epoch, and make nothing of it. */
const OLDER = { epoch: 0 };

/** The assignment that a worker routes by. */
export type Routed = Pick<Assignment, 'epoch' | 'revision'>;

export interface ControlHandlers {
  /**
   * Takes the assignment over, now or at its `flipAt`, unless another one comes before.
   *
   * @param taken to be called then, with what the worker routes by
   */
  onAssignment(assignment: Assignment, taken: (routed: Routed) => void): void;
  onCut(slot: 'blue' | 'green'): void;
  /** @returns how many URLs were forgotten */
  onPurge(paths: string[], tags: string[]): number;
  /** Asks a candidate for what visitors ask for, within a time in milliseconds; @returns for how many URLs */
  onFill(slot: 'blue' | 'green', withinMs: number): Promise<number>;
  report(): Extract<FromWorker, { type: 'report' }>;
}

export interface ControlClient {
  /** Sends the current counts, if there is a controller to hear them. */
  sendReport(): void;
  /** Leaves the controller for good. */
  close(): void;
}

/**
 * Holds a connection to the controller for as long as the worker lives, and comes back whenever it breaks.
 *
 * @param isTrusted asked before each connection: whoever listens there decides where visitors go
 */
export function connectController(
  socketPath: string,
  handlers: ControlHandlers,
  isTrusted: () => boolean = () => true,
): ControlClient {
  let link: Duplex | null = null;
  let backoff = MIN_BACKOFF_MS;
  let isClosed = false;

  const send = (message: FromWorker) => void link?.write(`${JSON.stringify(message)}\n`);
  const report = () => send({ ...OLDER, ...handlers.report() });

  const receive = (message: ToWorker) => {
    if (message.type === 'cut') {
      handlers.onCut(message.slot);
      return;
    }
    if (message.type === 'purge') {
      const { id, paths, tags = [] } = message;
      send({ type: 'purged', id, urls: handlers.onPurge(paths, tags) });
      report();
      return;
    }
    if (message.type === 'fill') {
      const { id, slot, withinMs } = message;
      void handlers.onFill(slot, withinMs).then((urls) => send({ type: 'filled', id, urls }));
      return;
    }
    // A later controller may say more.
    if (message.type !== 'assignment') return;
    handlers.onAssignment(message.assignment, (routed) => {
      send({ type: 'ack', ...routed });
      // The controller counts only what was counted after the acknowledgement.
      report();
    });
  };

  const again = () => {
    link = null;
    if (isClosed) return;
    setTimeout(connect, backoff);
    backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
  };

  const connect = () => {
    if (isClosed) return;
    if (!isTrusted()) return again();
    const outgoing = request({
      socketPath,
      path: '/worker',
      headers: {
        connection: 'Upgrade',
        upgrade: WORKER_UPGRADE,
        'x-slots-pid': String(process.pid),
      },
    });
    outgoing.on('error', again);
    outgoing.on('response', (answer) => {
      answer.resume();
      again();
    });
    outgoing.on('upgrade', (_answer, socket, head) => {
      if (isClosed) return void socket.destroy();
      if (head.length > 0) socket.unshift(head);
      link = socket;
      backoff = MIN_BACKOFF_MS;
      socket.on('error', () => {});
      socket.on('close', again);
      // Not node:readline: it emits the socket's error anew, on an object where nobody listens.
      socket.on(
        'data',
        lines(
          (line) => receive(JSON.parse(line)),
          () => socket.destroy(),
        ),
      );
    });
    outgoing.end();
  };

  connect();
  return {
    sendReport: report,
    close() {
      isClosed = true;
      link?.destroy();
    },
  };
}

import { expect, test } from 'vitest';
import { lastFailure } from '../../../src/cli/up/worker-failure.ts';

const line = (time: number, msg: string, event = 'worker.start-failed') =>
  JSON.stringify({ level: 60, time, event, code: 'TLS_BAD', msg });

test('the newest line of a worker that could not start says why', () => {
  const log = [line(1000, 'first'), 'a warning of Node', line(2000, 'second'), ''].join('\n');
  expect(lastFailure(log, 500)).toMatchObject({ code: 'TLS_BAD', msg: 'second' });
});

test('what a worker said before this `slots up` is no reason', () => {
  expect(lastFailure(line(1000, 'mended since'), 1001)).toBeNull();
});

test.each(['', 'no JSON with "worker.start-failed"', line(1000, 'listening', 'worker.listen')])(
  'a log without such a line gives no reason: %j',
  (log) => expect(lastFailure(log, 0)).toBeNull(),
);

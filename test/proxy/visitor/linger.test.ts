import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { linger } from '../../../src/proxy/visitor/linger.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
});

/** A request's body that comes as it is written. */
function unwanted() {
  const body = new PassThrough();
  linger(body as unknown as IncomingMessage);
  return body;
}

test('a body that nobody wants is given up once nothing of it comes for two seconds', async () => {
  const body = unwanted();
  vi.advanceTimersByTime(1999);
  await turn();
  expect(body.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  await turn();
  expect(body.destroyed).toBe(true);
});

test('a body that nobody wants is read on while it comes, and for 30 seconds at the most', async () => {
  const body = unwanted();
  for (let second = 1; second < 30; second++) {
    vi.advanceTimersByTime(1000);
    body.write('x');
    await turn();
    expect(body.destroyed, `after ${second} s`).toBe(false);
  }
  vi.advanceTimersByTime(1000);
  await turn();
  expect(body.destroyed).toBe(true);
});

test('what has arrived while the event loop stood still counts before a body is given up', async () => {
  const body = unwanted();
  vi.advanceTimersByTime(2000);
  body.write('x');
  await turn();
  expect(body.destroyed).toBe(false);
});

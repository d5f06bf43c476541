import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BodyStalled, BodyTooLarge, createUpload } from '../../../src/proxy/forward/upload.ts';

/** A visitor's request whose timeout is the test's to set off, by its `timeout` event. */
function fakeRequest() {
  const timeouts: number[] = [];
  const request = Object.assign(new Readable({ read() {} }), {
    headers: {},
    complete: false,
    setTimeout(ms: number, listener?: () => void) {
      timeouts.push(ms);
      if (listener) request.on('timeout', listener);
    },
  });
  return { request, timeouts };
}

function upload(request: unknown, bodyBytes = 0) {
  const limits = { bodyBytes, bodyIdleTimeoutMs: 50 };
  return createUpload(request as IncomingMessage, {} as ServerResponse, limits);
}

test('a visitor who stands still for the site’s sake is given its time again afterwards', async () => {
  const { request, timeouts } = fakeRequest();
  const body = upload(request);
  body.read(0);
  request.push(Buffer.alloc(200_000));
  await turn();
  // Nobody has taken any of it.
  expect(request.isPaused()).toBe(true);
  request.emit('timeout');
  expect(body.destroyed).toBe(false);
  expect(timeouts).toEqual([50]);
  body.resume();
  await turn();
  expect(request.isPaused()).toBe(false);
  expect(timeouts).toEqual([50, 50]);
  const failed = once(body, 'error');
  request.emit('timeout');
  expect((await failed)[0]).toBeInstanceOf(BodyStalled);
});

test('nothing beyond the limit is handed on', async () => {
  const { request } = fakeRequest();
  const body = upload(request, 10);
  const failed = once(body, 'error');
  const got: Buffer[] = [];
  body.on('data', (chunk: Buffer) => got.push(chunk));
  request.push(Buffer.alloc(10));
  await turn();
  request.push(Buffer.alloc(1));
  expect((await failed)[0]).toBeInstanceOf(BodyTooLarge);
  expect(Buffer.concat(got).length).toBe(10);
});

test('a visitor who leaves is an error for the site, never an end', async () => {
  const { request } = fakeRequest();
  const body = upload(request);
  const failed = once(body, 'error');
  body.resume();
  request.destroy();
  expect(String((await failed)[0])).toContain('closed the connection');
  expect(body.readableEnded).toBe(false);
});

test('a body that ends sets no timeout for what follows', async () => {
  const { request, timeouts } = fakeRequest();
  const body = upload(request);
  body.resume();
  request.push('all');
  request.push(null);
  await once(body, 'end');
  expect(timeouts.at(-1)).toBe(0);
});

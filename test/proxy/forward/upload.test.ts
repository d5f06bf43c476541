import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  BodyLengthWrong,
  BodyStalled,
  BodyTooLarge,
  Upload,
  VisitorGone,
} from '../../../src/proxy/forward/upload.ts';

const HEAD = 'POST / HTTP/1.1\r\n\r\n';

/** An upload of a request whose timeout is the test's to set off, by its `timeout` event. */
function startUpload({ bodyBytes = 0, headers = {}, takes = () => true as boolean } = {}) {
  const timeouts: number[] = [];
  const request = Object.assign(new Readable({ read() {} }), {
    headers,
    rawTrailers: [] as string[],
    complete: false,
    setTimeout(ms: number, listener?: () => void) {
      timeouts.push(ms);
      if (listener) request.on('timeout', listener);
    },
  });
  const sent: string[] = [];
  const waits: string[] = [];
  const errors: Error[] = [];
  const upload = new Upload(
    request as unknown as IncomingMessage,
    {} as ServerResponse,
    { bodyBytes, bodyIdleTimeoutMs: 50 },
    {
      send(bytes) {
        sent.push(bytes.toString('latin1'));
        return takes();
      },
      waitsFor: (side) => void waits.push(side),
      failed: (error) => void errors.push(error),
    },
  );
  return { request, upload, timeouts, sent, waits, errors };
}

/** Until what has come is worked off and sent. */
async function settled() {
  await turn();
  await turn();
}

test('the head goes out together with what is there of the body', async () => {
  const { request, upload, sent } = startUpload({ headers: { 'content-length': '4' } });
  request.push('body');
  upload.begin(HEAD);
  await settled();
  expect(sent).toEqual([`${HEAD}body`]);
});

test('many small pieces of one turn are one chunk', async () => {
  const { request, upload, sent } = startUpload();
  upload.begin(HEAD);
  await settled();
  for (let i = 0; i < 1000; i++) request.push('x');
  await settled();
  expect(sent).toEqual([HEAD, `3e8\r\n${'x'.repeat(1000)}\r\n`]);
});

test('a body without a length ends with its last chunk and its trailers', async () => {
  const { request, upload, sent } = startUpload();
  upload.begin(HEAD);
  request.push('ok');
  request.rawTrailers.push('X-Sum', '42', 'Host', 'evil.test');
  request.push(null);
  await settled();
  expect(sent.join('')).toBe(`${HEAD}2\r\nok\r\n0\r\nX-Sum: 42\r\n\r\n`);
  expect(upload.isWhollySent).toBe(true);
});

test('a trailer that cannot be written down fails the request', async () => {
  const { request, upload, errors } = startUpload();
  upload.begin(HEAD);
  request.rawTrailers.push('X-Sum', 'a\u010ab');
  request.push(null);
  await settled();
  expect(errors.map(String)).toEqual(['Error: a character that no field may have']);
});

test('a visitor who stands still for the slot’s sake is given its time again afterwards', async () => {
  const { request, upload, timeouts, waits, errors } = startUpload({ takes: () => false });
  upload.begin(HEAD);
  request.push(Buffer.alloc(200_000));
  await settled();
  // The slot has not taken it all.
  expect(request.isPaused()).toBe(true);
  expect(waits.at(-1)).toBe('slot');
  request.emit('timeout');
  expect(errors).toEqual([]);
  expect(timeouts).toEqual([50]);
  upload.writable();
  expect(request.isPaused()).toBe(false);
  expect(waits.at(-1)).toBe('visitor');
  expect(timeouts).toEqual([50, 50]);
  request.emit('timeout');
  await settled();
  expect(errors).toEqual([expect.any(BodyStalled)]);
});

test('nothing beyond the limit is sent on', async () => {
  const { request, upload, sent, errors } = startUpload({ bodyBytes: 10 });
  upload.begin(HEAD);
  request.push(Buffer.alloc(10, 'a'));
  await settled();
  request.push('b');
  await settled();
  expect(errors).toEqual([expect.any(BodyTooLarge)]);
  expect(sent.join('')).not.toContain('b');
});

test.each([
  ['longer', 'abc'],
  ['shorter', 'a'],
])('a body that is %s than its Content-Length fails, and never looks whole', async (_how, body) => {
  const { request, upload, errors } = startUpload({ headers: { 'content-length': '2' } });
  upload.begin(HEAD);
  request.push(body);
  request.push(null);
  await settled();
  expect(errors).toEqual([expect.any(BodyLengthWrong)]);
  expect(upload.isWhollySent).toBe(false);
});

test('a visitor who leaves is a failure, never an end', async () => {
  const { request, upload, sent, errors } = startUpload();
  upload.begin(HEAD);
  request.push('half');
  await settled();
  request.destroy();
  await settled();
  expect(errors).toEqual([expect.any(VisitorGone)]);
  expect(sent.join('')).not.toContain('0\r\n');
  expect(upload.isWhollySent).toBe(false);
});

test('a body that ends sets no timeout for what follows', async () => {
  const { request, upload, timeouts } = startUpload();
  upload.begin(HEAD);
  request.push('all');
  request.push(null);
  await settled();
  expect(timeouts.at(-1)).toBe(0);
});

test('nothing is sent of a body that nobody wants any more', async () => {
  const { request, upload, sent } = startUpload();
  upload.begin(HEAD);
  await settled();
  request.push('late');
  upload.stop();
  await settled();
  expect(sent).toEqual([HEAD]);
  expect(upload.isWhollySent).toBe(false);
});

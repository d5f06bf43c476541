import { createServer, type RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { load, loadOrigin, serve } from './serve.ts';

const small = { bytes: 300_000, overMs: 100 };

test('transfers: an upload that the server counts wrong, finds altered, or breaks off fails', async () => {
  const answers: [RequestListener, RegExp][] = [
    [(req, res) => req.resume().on('end', () => res.end('{"bytes":299999}')), /counted 299999/],
    [
      (req, res) => req.resume().on('end', () => res.end('{"bytes":300000,"intact":false}')),
      /other bytes/,
    ],
    [(req) => void req.once('data', () => req.socket.destroy()), /ECONNRESET|EPIPE/],
    [(_req, res) => void res.writeHead(413).end('too large'), /status 413|EPIPE|ECONNRESET/],
    [() => {}, /hung: not finished within 0.3 s/],
  ];
  for (const [answer, says] of answers) {
    const result = await load(answer, { upload: small }, 2);
    expect(result.failed).toBe(result.requests);
    for (const failure of result.failures) expect(failure).toMatch(says);
  }
});

test('transfers: a download with a wrong byte, a missing piece or a bad status fails', async () => {
  const pattern = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i % 251));
  const altered = Buffer.from(pattern).fill(7, 200_001, 200_002);
  const answers: [RequestListener, RegExp][] = [
    [(_, res) => res.end(altered), /byte 200001 is wrong/],
    [(_, res) => res.end(pattern.subarray(0, 299_999)), /299999 of 300000 bytes/],
    [(_, res) => res.end(pattern.subarray(1)), /byte 0 is wrong/],
    [
      (_, res) => {
        res.writeHead(200, { 'content-length': 300_000 }).write(pattern.subarray(0, 1000));
        setTimeout(() => res.socket?.destroy(), 5);
      },
      /truncated: .* at byte 1000 of 300000/,
    ],
    [(_, res) => void res.writeHead(503).end('away'), /status 503 "away"/],
  ];
  for (const [answer, says] of answers) {
    const result = await load(answer, { download: small }, 2);
    expect(result.failed).toBe(result.requests);
    for (const failure of result.failures) expect(failure).toMatch(says);
  }
});

test('event streams: the end says whether the server ended the stream, broke it, or we left', async () => {
  const event = (res: Parameters<RequestListener>[1], id: number) =>
    res.write(`id: ${id}\ndata: x\n\n`);
  let count = 0;
  const result = await load(
    (_request, response) => {
      count++;
      event(response, 1);
      event(response, 2);
      if (count === 1) response.end();
      if (count === 2) setTimeout(() => response.socket?.destroy(), 20);
      if (count === 3) event(response, 4);
      if (count >= 4) setInterval(() => response.write(': \n\n'), 50).unref();
    },
    { events: 1 },
    4,
  );
  expect(result.streams).toEqual([
    { events: 2, end: 'clean' },
    { events: 2, end: 'broken' },
    { events: 2, end: 'broken' },
    { events: expect.any(Number), end: 'stopped' },
  ]);
  expect(result.failed).toBe(2);
  expect(result.failures[0]).toMatch(/^events GET \/api\/clock: ECONNRESET, event 2 after/);
  expect(result.failures[1]).toMatch(/event 4 came, event 2/);
});

test('event streams: a stream that falls silent, or is refused, fails', async () => {
  const silent = await load((_, res) => void res.write('id: 1\ndata: x\n\n'), { events: 1 }, 2);
  expect(silent.failures[0]).toMatch(/hung: silent for 0.2 s/);
  const refused = await load((_, res) => void res.writeHead(503).end(), { events: 1 }, 2);
  expect(refused.failures[0]).toMatch(/status 503/);
});

async function sockets(onConnection: Parameters<WebSocketServer['on']>[1], count = 2) {
  const server = createServer();
  new WebSocketServer({ server }).on('connection', onConnection as never);
  return loadOrigin(await serve(server), { webSockets: 1 }, count);
}

test('WebSockets: a close frame is no failure, and its code is kept', async () => {
  const result = await sockets((client: { close(code: number): void }) => client.close(1012));
  expect(result.failed).toBe(0);
  expect(result.sockets[0]).toEqual({ pongs: 0, closeCode: 1012 });
});

test('WebSockets: a connection that breaks fails', async () => {
  const result = await sockets((client: { terminate(): void }) => client.terminate());
  expect(result.failed).toBeGreaterThan(0);
  expect(result.failures[0]).toMatch(
    /^web-socket GET \/live\?page=\/: closed without a close frame/,
  );
  expect(result.sockets[0]).toEqual({ pongs: 0, closeCode: 1006 });
});

test('WebSockets: a ping without a pong fails', async () => {
  const result = await sockets(() => {});
  expect(result.failed).toBeGreaterThan(0);
  expect(result.failures[0]).toMatch(/hung: no pong within 0.2 s/);
});

test('WebSockets: an upgrade that is refused fails', async () => {
  const result = await load((_, res) => void res.end(), { webSockets: 1 }, 2);
  expect(result.failed).toBe(result.requests);
});

/** The keep-alive race: the site closes an idle connection in the instant in which we send on it (nodejs/node #47130). */
import { Agent, createServer, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { serveOrigin, startOrigin, startPlane } from '../../support/plane.ts';

const CLIENTS = 32;
const KEEP_ALIVE_MS = 100;

/** One request, whole: its status, or what went wrong. */
function send(port: number, agent: Agent, method: string, path: string): Promise<number | string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, agent, method, path }, (response) => {
      response.on('error', (error) => resolve(error.message));
      response.on('end', () => resolve(response.statusCode as number));
      response.resume();
    });
    outgoing.on('error', (error) => resolve(error.message));
    outgoing.end();
  });
}

/** Sends `total` requests from several clients at once and gives every outcome with its count. */
async function load(
  port: number,
  total: number,
  next: (n: number, client: number) => Promise<{ method: string; path: string }>,
): Promise<Record<string, number>> {
  const agent = new Agent({ keepAlive: true });
  const outcomes: Record<string, number> = {};
  let sent = 0;
  const client = async (_: unknown, number: number) => {
    while (sent < total) {
      const { method, path } = await next(sent++, number);
      const outcome = await send(port, agent, method, path);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
  return outcomes;
}

test('20 000 GETs without an error, while the site drops used connections under their feet', async () => {
  const served = new WeakMap<Socket, number>();
  let dropped = 0;
  const site = await startOrigin((_request, response) => {
    const socket = response.socket as Socket;
    const before = served.get(socket) ?? 0;
    served.set(socket, before + 1);
    // Every third request on a connection finds it closed, as if its time had run out just now.
    if (before < 2) return void response.end('ok');
    dropped++;
    if (dropped % 2) socket.destroy();
    else socket.resetAndDestroy();
  });
  const { port, plane } = await startPlane({ blue: site.port });
  const outcomes = await load(port, 20_000, async () => ({ method: 'GET', path: '/' }));
  expect(outcomes).toEqual({ 200: 20_000 });
  expect(dropped).toBeGreaterThan(1000);
  expect(plane.counters.retries).toBe(dropped);
}, 120_000);

test('GETs without an error around the end of an idle connection of 100 ms', async () => {
  const server = createServer((_request, response) => quietly(response));
  // No margin beyond what is promised, and the promise itself is kept secret.
  Object.assign(server, { keepAliveTimeout: KEEP_ALIVE_MS, keepAliveTimeoutBuffer: 0 });
  const site = await serveOrigin(server);
  const { port } = await startPlane({ blue: site.port });
  const outcomes = await load(port, 3000, async (n, client) => {
    // Every pause between 95 and 105 ms, in steps of a third of a millisecond, over and over.
    await pauseUntil(performance.now() + 95 + ((n * 7 + client) % CLIENTS) / 3);
    return { method: 'GET', path: '/' };
  });
  expect(outcomes).toEqual({ 200: 3000 });
}, 120_000);

test('a POST is never sent twice, whatever becomes of its connection', async () => {
  const seen = new Map<string, number>();
  const served = new WeakMap<Socket, number>();
  const site = await startOrigin((request, response) => {
    const id = request.url as string;
    seen.set(id, (seen.get(id) ?? 0) + 1);
    const socket = response.socket as Socket;
    const before = served.get(socket) ?? 0;
    served.set(socket, before + 1);
    if (before % 3 === 2) socket.destroy();
    else response.end('ok');
  });
  const { port, plane } = await startPlane({ blue: site.port });
  const outcomes = await load(port, 3000, async (n) => ({ method: 'POST', path: `/${n}` }));
  expect(Object.keys(outcomes).sort()).toEqual(['200', '502']);
  expect(Math.max(...seen.values())).toBe(1);
  expect(seen.size).toBe(3000);
  expect(plane.counters.retries).toBe(0);
}, 60_000);

test("a site's hint that its connections do not last is heeded: no request is lost or sent again", async () => {
  const server = createServer((_request, response) => response.end('ok'));
  Object.assign(server, { keepAliveTimeout: KEEP_ALIVE_MS, keepAliveTimeoutBuffer: 0 });
  const site = await serveOrigin(server);
  const { port, plane } = await startPlane({ blue: site.port });
  const outcomes = await load(port, 2000, async (n) => {
    if (n % 50 === 0) await delay(KEEP_ALIVE_MS);
    return { method: n % 2 ? 'POST' : 'GET', path: '/' };
  });
  expect(outcomes).toEqual({ 200: 2000 });
  expect(plane.counters.retries).toBe(0);
});

/** Without `Keep-Alive: timeout=…`. */
function quietly(response: ServerResponse): void {
  response.setHeader('connection', 'keep-alive');
  response.end('ok');
}

/** Timers are a millisecond coarse, which is too coarse to hit the instant. */
async function pauseUntil(time: number): Promise<void> {
  await delay(Math.max(0, time - performance.now() - 2));
  while (performance.now() < time) await new Promise(setImmediate);
}

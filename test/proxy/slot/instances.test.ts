import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { serveOrigin, startPlane } from '../../support/plane.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Says its name to whoever asks, and to whoever opens a WebSocket; `/hang` is never answered, `/die` is cut off. */
function namedServer(name: string): Server {
  const server = createServer((request, response) => {
    if (request.url === '/public') response.setHeader('Cache-Control', 'public, max-age=60');
    if (request.url === '/die') request.socket.destroy();
    else if (request.url !== '/hang') response.end(name);
  });
  new WebSocketServer({ server }).on('connection', (socket) => socket.send(name));
  return server;
}

/** A plane before a slot with two instances on sockets, and its port. */
async function startInstances(listening = [0, 1]) {
  const folder = await tempFolder();
  const paths = [0, 1].map((n) => join(folder, `blue-${n}.sock`));
  const servers: Server[] = [];
  for (const n of listening) {
    const server = namedServer(String(n));
    servers[n] = server;
    await once(server.listen(paths[n]), 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
  }
  const port = await serveOrigin(namedServer('port'));
  const sockets = { blue: paths, green: [] };
  const running = await startPlane({ proxy: { affinity: 'cookie' }, blue: port.port, sockets });
  const ask = async (path = '/', options: RequestInit = {}) => {
    const answer = await fetch(`http://127.0.0.1:${running.port}${path}`, options);
    return { name: await answer.text(), set: answer.headers.getSetCookie() };
  };
  const as = (n: number) => ({ headers: { cookie: `sid=1; slots-instance=${n}` } });
  return { ...running, servers, ask, as };
}

const cookieFor = (n: number) => `slots-instance=${n}; Path=/; HttpOnly; SameSite=Lax`;

test('a visitor goes to the instance that the cookie names, and one without a cookie gets it', async () => {
  const { ask, as } = await startInstances();
  for (const n of [1, 0, 1, 1, 0]) expect(await ask('/', as(n))).toEqual({ name: `${n}`, set: [] });
  const { name, set } = await ask();
  expect(set).toEqual([cookieFor(Number(name))]);
  expect((await ask('/public')).set).toEqual([]);
});

test('a visitor without a cookie goes to the instance with the fewest requests', async () => {
  const { ask, as } = await startInstances();
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  for (const n of [0, 0, 1]) {
    ask('/hang', { ...as(n), signal: leave.signal }).catch(() => {});
  }
  await expect.poll(async () => (await ask()).name, { timeout: 5000 }).toBe('1');
});

test('a request for an instance that is gone goes to another one, also one with a body', async () => {
  const { ask, as, servers } = await startInstances();
  servers[1]?.close();
  servers[1]?.closeAllConnections();
  await once(servers[1] as Server, 'close');
  const upload = { method: 'POST', body: 'bytes', ...as(1) };
  expect(await ask('/', upload)).toEqual({ name: '0', set: [cookieFor(0)] });
  expect(await ask('/', as(1))).toEqual({ name: '0', set: [cookieFor(0)] });
});

test('a slot without sockets is reached by its port, and sets no cookie', async () => {
  const { ask, as } = await startInstances([]);
  expect(await ask()).toEqual({ name: 'port', set: [] });
  expect(await ask('/', as(1))).toEqual({ name: 'port', set: [] });
});

test.each([
  [[0, 1], '1'],
  [[0], 'port'],
])(
  'a WebSocket of a visitor of instance 1, with those of %j there, is with %s',
  async (there, name) => {
    const { port, as } = await startInstances(there);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, as(1));
    onTestFinished(() => socket.terminate());
    const [message] = await once(socket, 'message');
    expect(String(message)).toBe(name);
  },
);

test('a GET whose instance dies with its socket still accepting is answered by another', async () => {
  const { ask, as, servers } = await startInstances();
  const [dying] = servers;
  dying?.removeAllListeners('connection').on('connection', (socket: Socket) => {
    socket.once('data', () => socket.destroy());
  });
  for (let times = 0; times < 3; times++) {
    expect(await ask('/', as(0))).toEqual({ name: '1', set: [cookieFor(1)] });
  }
});

test('instances that have all lost a request are asked before the port: they may be there again', async () => {
  const { ask, as } = await startInstances();
  for (const n of [0, 1]) expect((await ask('/die', as(n))).name).toContain('No answer');
  expect((await ask()).name).toBe('0');
});

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startPlane } from '../../support/plane.ts';
import { rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';
import {
  closing,
  openSocket,
  rawSocket,
  startRawWsSite,
  startWsSite,
  upgradeHead,
} from '../../support/ws-site.ts';

async function message(socket: WebSocket): Promise<Buffer> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data;
}

test('messages go both ways, text and binary', async () => {
  const site = await startWsSite();
  const { port } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  socket.send('grüße');
  expect(String(await message(socket))).toBe('grüße');
  socket.send(Buffer.from([0, 255, 1]));
  expect(await message(socket)).toEqual(Buffer.from([0, 255, 1]));
  site.sockets[0]?.send('unasked');
  expect(String(await message(socket))).toBe('unasked');
});

test('messages: a megabyte in one frame arrives whole, both ways', async () => {
  const site = await startWsSite();
  const { port } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  const large = randomBytes(1024 * 1024);
  for (let i = 0; i < 3; i++) {
    socket.send(large);
    expect((await message(socket)).equals(large)).toBe(true);
  }
});

test('messages in fragments arrive as one, with a ping between two of them', async () => {
  const pings: string[] = [];
  const site = await startWsSite((accepted) => {
    accepted.on('ping', (data) => pings.push(String(data)));
    accepted.on('message', (data) => accepted.send(data, { binary: false }));
  });
  const { port } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  socket.send('one ', { fin: false });
  socket.ping('between');
  socket.send('two ', { fin: false });
  socket.send('three', { fin: true });
  expect(String(await message(socket))).toBe('one two three');
  expect(pings).toEqual(['between']);
});

test('messages that the site sends with its 101 are not lost', async () => {
  const site = await startWsSite((accepted) => accepted.send('first words'));
  const { port } = await startPlane({ blue: site.port });
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  expect(String(await message(socket))).toBe('first words');
  socket.terminate();
});

test('messages that the visitor sends before the 101 are not lost', async () => {
  const site = await startRawWsSite();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(`${upgradeHead()}\x81\x80\x00\x00\x00\x00`);
  await until(() => site.received().endsWith('\r\n\r\n\x81\x80\x00\x00\x00\x00'), 'the frame');
});

test('messages: compressed by an extension pass untouched', async () => {
  const site = await startWsSite(undefined, { perMessageDeflate: { threshold: 0 } });
  const { port } = await startPlane({ blue: site.port });
  const socket = await openSocket(port, '/', { perMessageDeflate: { threshold: 0 } });
  expect(socket.extensions).toContain('permessage-deflate');
  const text = 'again and '.repeat(10_000);
  socket.send(text);
  expect(String(await message(socket))).toBe(text);
});

test('ping and pong go both ways', async () => {
  const site = await startWsSite();
  const { port } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  socket.ping('from the visitor');
  expect(String((await once(socket, 'pong'))[0])).toBe('from the visitor');
  const accepted = site.sockets[0] as WebSocket;
  accepted.ping('from the site');
  expect(String((await once(accepted, 'pong'))[0])).toBe('from the site');
});

test.each([1000, 1008, 4001])('a close: by the site with %i reaches the visitor', async (code) => {
  const site = await startWsSite();
  const { port, plane } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  site.sockets[0]?.close(code, 'because');
  expect(await closing(socket)).toEqual([code, 'because']);
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
});

test.each([1000, 4999])('a close: by the visitor with %i reaches the site', async (code) => {
  const site = await startWsSite();
  const { port, plane } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  const closed = [closing(site.sockets[0] as WebSocket), closing(socket)];
  socket.close(code, 'bye');
  const [atSite, atVisitor] = await Promise.all(closed);
  expect(atSite).toEqual([code, 'bye']);
  expect(atVisitor?.[0]).toBe(code);
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
});

test('the handshake agrees on a subprotocol', async () => {
  const site = await startWsSite(undefined, { handleProtocols: () => 'chat.v2' });
  const { port } = await startPlane({ blue: site.port });
  const socket = await openSocket(port, '/', { protocols: ['chat.v1', 'chat.v2'] });
  expect(socket.protocol).toBe('chat.v2');
  expect(site.requests[0]?.headers['sec-websocket-protocol']).toBe('chat.v1,chat.v2');
});

test('the handshake names the release, unless told not to', async () => {
  const site = await startWsSite();
  const open = await startPlane({ blue: site.port });
  const shy = await startPlane({ blue: site.port, proxy: { exposeRelease: false } });
  const named = await rawSocket(open.port);
  expect(named.text()).toMatch(/^HTTP\/1\.1 101 /);
  expect(named.text()).toContain('\r\nx-slots-release: release-blue\r\n');
  expect((await rawSocket(shy.port)).text()).not.toContain('x-slots-release');
});

test("the handshake keeps the site's own fields, repeated ones apart, and drops those of the connection", async () => {
  const site = await startWsSite(undefined, { noServer: false });
  site.server.prependListener(
    'upgrade',
    (_request: unknown, socket: { write(t: string): void }) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          'Set-Cookie: a=1\r\nX-Mine: yes\r\nSet-Cookie: b=2\r\nKeep-Alive: timeout=9\r\n\r\n',
      );
    },
  );
  const { port } = await startPlane({ blue: site.port });
  const text = (await rawSocket(port)).text();
  expect(text).toMatch(/Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
  expect(text).toContain('X-Mine: yes');
  expect(text).not.toMatch(/keep-alive/i);
});

test('the handshake tells the site where it comes from, and believes nobody else', async () => {
  const site = await startWsSite();
  const { port } = await startPlane({ blue: site.port, proxy: { trustedProxies: [] } });
  await openSocket(port, '/', {
    headers: {
      host: 'site.test',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-proto': 'https',
      'x-request-id': 'mine',
      cookie: 'session=1',
    },
  });
  const headers = site.requests[0]?.headers ?? {};
  expect(headers).toMatchObject({
    host: 'site.test',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'site.test',
    cookie: 'session=1',
    connection: 'Upgrade',
    upgrade: 'websocket',
  });
  expect(headers['x-request-id']).toMatch(/^[0-9a-f]{16}-\w+$/);
});

test('the handshake keeps repeated fields apart whatever their case', async () => {
  const site = await startWsSite();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(
    upgradeHead('/live', 'X-Two: one', 'x-two: two', 'Connection: X-Secret', 'X-Secret: 1'),
  );
  await client.until('\r\n\r\n');
  const { rawHeaders = [] } = site.requests[0] ?? {};
  const two = rawHeaders.filter((_, i) => rawHeaders[i - 1]?.toLowerCase() === 'x-two');
  expect(two).toEqual(['one', 'two']);
  expect(rawHeaders.map((name) => name.toLowerCase())).not.toContain('x-secret');
});

test.each(['/a/%2e%2e/b', '//double', '/a\\b', '/?q=a b'.replace(' ', '+'), '/%', '/..;/x', '/*'])(
  'the handshake forwards %s byte for byte',
  async (path) => {
    const site = await startRawWsSite();
    const { port } = await startPlane({ blue: site.port });
    await rawSocket(port, path);
    expect(site.received()).toMatch(/^GET /);
    expect(site.received().split(' ')[1]).toBe(path);
  },
);

test('the handshake goes to the slot that is active when it comes, and stays there', async () => {
  const blue = await startWsSite((socket) => socket.send('blue'));
  const green = await startWsSite((socket) => socket.send('green'));
  const { port, plane, assign } = await startPlane({ blue: blue.port, green: green.port });
  const first = await openSocket(port);
  assign({ active: 'green' });
  const second = new WebSocket(`ws://127.0.0.1:${port}/`);
  expect(String(await message(second))).toBe('green');
  expect(plane.inflight.counts).toEqual({ blue: 1, green: 1 });
  blue.sockets[0]?.send('still blue');
  expect(String(await message(first))).toBe('still blue');
});

import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { type Origin, startPlane, startRawOrigin } from '../../support/plane.ts';
import type { Wire } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';
import {
  afterHead,
  closing,
  openSocket,
  rawSocket,
  startRawWsSite,
  startWsSite,
} from '../../support/ws-site.ts';

/** 1001 "going away", as from a server and (with a mask of zeros) as from a client. */
const GOING_AWAY = '\x88\x02\x03\xe9';
const GOING_AWAY_MASKED = '\x88\x82\x00\x00\x00\x00\x03\xe9';

const wireOf = (site: Origin) => site.wires[0] as Wire;

async function tunnel() {
  const site = await startRawWsSite();
  const running = await startPlane({ blue: site.port });
  const client = await rawSocket(running.port);
  const { inflight, upgrades } = running.plane;
  const untilNothingLeft = async () => {
    await until(() => upgrades.count() === 0, 'nothing left');
    expect(inflight.counts.blue).toBe(0);
  };
  return { ...running, site, client, wire: wireOf(site), untilNothingLeft };
}

test('a half-closed connection: by the visitor still carries what the site says', async () => {
  const { client, wire, untilNothingLeft } = await tunnel();
  client.send('\x81\x81\x00\x00\x00\x00a');
  client.socket.end();
  expect(await wire.untilGone()).toBe('ended');
  expect(afterHead(wire)).toBe('\x81\x81\x00\x00\x00\x00a');
  wire.send('\x81\x01b');
  await client.until('\x81\x01b');
  wire.socket.end();
  await untilNothingLeft();
});

test('a half-closed connection: by the site still carries what the visitor says', async () => {
  const { client, wire, untilNothingLeft } = await tunnel();
  wire.send('\x81\x01b');
  wire.socket.end();
  expect(await client.untilGone()).toBe('ended');
  client.send('\x81\x81\x00\x00\x00\x00a');
  await until(() => afterHead(wire).endsWith('a'), 'the frame at the site');
  client.socket.end();
  await untilNothingLeft();
});

test.each(['destroy', 'resetAndDestroy'] as const)(
  'in the middle of a session: the site dies by %s',
  async (how) => {
    const site = await startWsSite();
    const { port, plane } = await startPlane({ blue: site.port });
    const socket = await openSocket(port);
    const closed = closing(socket);
    const underneath = (site.sockets[0] as unknown as { _socket: Socket })._socket;
    underneath[how]();
    // No close frame has come, and none is made up.
    expect((await closed)[0]).toBe(1006);
    await until(() => plane.upgrades.count() === 0, 'nothing left');
    expect(plane.inflight.counts.blue).toBe(0);
  },
);

test('in the middle of a session: the site dies while the visitor does not read', async () => {
  const { client, wire, untilNothingLeft } = await tunnel();
  client.socket.pause();
  wire.send(Buffer.alloc(8 * 1024 * 1024));
  wire.socket.resetAndDestroy();
  await untilNothingLeft();
});

test('in the middle of a session: the site dies and the visitor goes on sending', async () => {
  const { client, wire, untilNothingLeft } = await tunnel();
  wire.socket.destroy();
  const timer = setInterval(() => client.send(Buffer.alloc(65_536)), 1);
  await untilNothingLeft().finally(() => clearInterval(timer));
});

test('in the middle of a session: the visitor vanishes', async () => {
  const { client, wire, untilNothingLeft } = await tunnel();
  client.socket.resetAndDestroy();
  expect(await wire.untilGone()).not.toBe('open');
  await untilNothingLeft();
});

test('in the middle of a session: a slow reader stops a fast writer, each way', async () => {
  const { client, wire } = await tunnel();
  for (const [reader, writer] of [
    [client, wire],
    [wire, client],
  ] as const) {
    reader.socket.pause();
    const total = 64 * 1024 * 1024;
    let left = total;
    const write = () => {
      while (left > 0) {
        left -= 65_536;
        if (!writer.socket.write(Buffer.alloc(65_536))) {
          writer.socket.once('drain', write);
          return;
        }
      }
    };
    write();
    let before = -1;
    await until(() => {
      const isStill = left === before;
      before = left;
      return isStill;
    }, 'the writer to stand still');
    expect(left).toBeGreaterThan(total / 2);
    const sofar = reader.socket.bytesRead;
    reader.socket.resume();
    await until(() => reader.socket.bytesRead >= sofar + total - 65_536, 'all of it');
  }
});

test('drain counts a tunnel until both sides are closed', async () => {
  const { client, wire, plane, untilNothingLeft } = await tunnel();
  const empty: string[] = [];
  plane.inflight.onEmpty((slot) => empty.push(slot));
  const [visitor] = plane.upgrades.clients();
  let counted = -1;
  // Runs after the worker's own listener.
  visitor?.once('close', () => {
    counted = plane.inflight.counts.blue;
  });
  client.socket.resetAndDestroy();
  await wire.untilGone();
  await until(() => counted !== -1, "the visitor's side to be closed");
  expect(counted).toBe(1);
  await untilNothingLeft();
  expect(empty).toEqual(['blue']);
});

test('drain has nothing to count after many sessions', async () => {
  const site = await startWsSite();
  const { port, plane } = await startPlane({ blue: site.port });
  for (let round = 0; round < 5; round++) {
    const sockets = await Promise.all(Array.from({ length: 40 }, () => openSocket(port)));
    expect(plane.inflight.counts.blue).toBe(40);
    for (const [i, socket] of sockets.entries()) i % 2 ? socket.close() : socket.terminate();
    await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
  }
});

test('a cut says 1001 to both sides', async () => {
  const site = await startWsSite();
  const { port, plane } = await startPlane({ blue: site.port });
  const socket = await openSocket(port);
  const closed = Promise.all([closing(socket), closing(site.sockets[0] as WebSocket)]);
  plane.cut('blue');
  expect(await closed).toEqual([
    [1001, ''],
    [1001, ''],
  ]);
  await until(() => plane.upgrades.count() === 0, 'nothing left');
});

test('a cut leaves the other slot alone', async () => {
  const green = await startWsSite();
  const { port, plane } = await startPlane({ green: green.port, active: 'green' });
  const socket = await openSocket(port);
  plane.cut('blue');
  socket.send('still there');
  await new Promise((resolve) => socket.once('message', resolve));
});

test('a cut waits for the end of a frame that is half sent, each way', async () => {
  const { client, wire, plane, untilNothingLeft } = await tunnel();
  wire.send('\x82\x7e\x01\x00half');
  client.send('\x82\x84\x00\x00\x00\x00ha');
  await client.until('half');
  await until(() => afterHead(wire).endsWith('ha'), 'half a frame at the site');
  plane.cut('blue');
  expect(client.after()).toBe('\x82\x7e\x01\x00half');
  const rest = 'r'.repeat(252);
  // What follows within the same write is not passed on any more.
  wire.send(`${rest}\x81\x01x`);
  client.send('lf\x81\x80\x00\x00\x00\x00');
  await client.untilGone();
  await wire.untilGone();
  expect(client.after()).toBe(`\x82\x7e\x01\x00half${rest}${GOING_AWAY}`);
  expect(afterHead(wire)).toBe(`\x82\x84\x00\x00\x00\x00half${GOING_AWAY_MASKED}`);
  await untilNothingLeft();
});

test.each([
  ['its payload', '\x82\x7e\x01\x00half'],
  ['its header', '\x82\x7e\x01'],
  ['its first byte', '\x82'],
])(
  'a cut puts nothing into a frame that never ends, broken off within %s',
  async (_name, bytes) => {
    const { client, wire, plane, untilNothingLeft } = await tunnel();
    wire.send(bytes);
    await until(() => client.after() === bytes, 'the beginning');
    plane.cut('blue');
    await client.untilGone();
    expect(client.after()).toBe(bytes);
    await untilNothingLeft();
  },
);

test('a cut waits for nobody who does not close', async () => {
  const { client, plane, untilNothingLeft } = await tunnel();
  plane.cut('blue');
  await client.until(GOING_AWAY);
  await untilNothingLeft();
});

test('a cut ends a handshake that is still under way', async () => {
  const site = await startRawOrigin(() => {});
  const { port, plane } = await startPlane({ blue: site.port });
  const pending = rawSocket(port).catch((error: Error) => error);
  await until(() => site.received() !== '', 'the request at the site');
  plane.cut('blue');
  expect(await pending).toBeInstanceOf(Error);
});

test('a WebSocket that is left open for a visitor who is gone is found by the audit, said and ended', async () => {
  const { plane, wire, untilNothingLeft } = await tunnel();
  expect(plane.audit()).toEqual([]);
  const [side] = plane.upgrades.clients();
  // As if its end had been lost.
  side?.removeAllListeners('close').destroy();
  const leaks = plane.audit();
  expect(leaks.map(({ message }) => message)).toEqual([
    '1 requests or WebSockets were open for visitors who are gone',
  ]);
  await untilNothingLeft();
  await wire.untilGone();
  expect(plane.audit()).toEqual([]);
});

import { afterEach, expect, test, vi } from 'vitest';
import type { CallConnection, SlotCall } from '../../../src/proxy/slot/call.ts';
import { SlotConnection } from '../../../src/proxy/slot/connection.ts';
import { createSlotConnections } from '../../../src/proxy/slot/connections.ts';
import { type Origin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { get, head, rawClient, type Wire } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

afterEach(() => vi.restoreAllMocks());

/** A site that answers each request on a connection with the same bytes. */
function startSite(bytes: string): Promise<Origin> {
  return startRawOrigin(async (wire) => {
    for (let count = 1; ; count++) {
      const isThere = (text: string) => text.split('\r\n\r\n').length > count;
      if ((await wire.until(isThere).catch(() => null)) === null) return;
      wire.send(bytes);
    }
  });
}

const OK = (...fields: string[]) => `${head('HTTP/1.1 200 OK', 'Content-Length: 2', ...fields)}ok`;

/** Asks so many times, one after another, over one connection of the visitor. */
async function askInTurn(site: Origin, times: number, between: () => unknown = () => {}) {
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  for (let count = 1; count <= times; count++) {
    client.send(get(`/${count}`));
    const answers = await client.answers(count, new Array(count).fill('GET'));
    expect(answers.at(-1)).toMatchObject({ status: 200, body: 'ok' });
    if (count < times) await between();
  }
  return plane;
}

test('a connection to the site is used again', async () => {
  const site = await startSite(OK());
  await askInTurn(site, 3);
  expect(site.wires).toHaveLength(1);
});

test.each([
  ['the site says `close`', OK('Connection: close')],
  ['the site speaks HTTP/1.0', OK('Connection: keep-alive').replace('/1.1', '/1.0')],
  ['the site keeps it for a second only', OK('Keep-Alive: timeout=1, max=100')],
  ['bytes come after the answer', `${OK()}?`],
])('a connection to the site is not used again when %s', async (_why, bytes) => {
  const site = await startSite(bytes);
  const plane = await askInTurn(site, 3);
  expect(site.wires).toHaveLength(3);
  expect(plane.counters.retries).toBe(0);
  await until(() => site.wires.every((wire) => wire.state() !== 'open'), 'all to be closed');
});

test.each([
  ['4 s', OK(), 4000],
  ['4 s, though the site allows more', OK('Keep-Alive: timeout=60'), 4000],
  ['a second less than the site allows', OK('Keep-Alive: timeout=3'), 2000],
  ['4 s, when the site’s word is none', OK('Keep-Alive: max=3'), 4000],
])('a connection to the site is kept for %s', async (_how, bytes, ms) => {
  const site = await startSite(bytes);
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  await askInTurn(site, 2, () => now.mockReturnValue(ms - 1));
  expect(site.wires).toHaveLength(1);
  await askInTurn(site, 2, () => now.mockReturnValue(2 * ms));
  expect(site.wires).toHaveLength(3);
});

test('a connection to the site is closed when it has been idle for that long', async () => {
  const site = await startSite(OK('Keep-Alive: timeout=2'));
  await askInTurn(site, 1);
  await until(() => site.wires[0]?.state() === 'ended', 'the connection to be closed');
});

test('a connection to the site that the site closes while idle costs nobody anything', async () => {
  const site = await startSite(OK());
  const closed = async () => {
    const wire = site.wires.at(-1) as Wire;
    wire.socket.end();
    await wire.untilGone();
  };
  const plane = await askInTurn(site, 3, closed);
  expect(site.wires).toHaveLength(3);
  expect(plane.counters.retries).toBe(0);
});

test('a connection to the site on which a word comes that nobody has asked for is closed, and used no more', async () => {
  const site = await startSite(OK());
  // As time stands still it is not closed for having been idle.
  vi.spyOn(performance, 'now').mockReturnValue(0);
  const plane = await askInTurn(site, 2, async () => {
    site.wires[0]?.send(head('HTTP/1.1 408 Request Timeout', 'Content-Length: 0'));
    await site.wires[0]?.untilGone();
  });
  expect(site.wires).toHaveLength(2);
  expect(plane.counters.retries).toBe(0);
});

const LIMITS = { connectTimeoutMs: 5000, bodyTimeoutMs: 0, headBytes: 65_536 };

/** A GET that notes what its connection tells it, in order. */
function createCall(path: string, react: Partial<SlotCall> = {}) {
  const told: string[] = [];
  const over = Promise.withResolvers<string>();
  const call: SlotCall = {
    method: 'GET',
    head: get(path),
    waitingPieces: 0,
    isWhollySent: true,
    wantedInstance: -1,
    instance: -1,
    onSent: () => told.push('sent') > 0,
    isOn: () => true,
    onWritable: () => void told.push('writable'),
    onHead: ({ status }) => void told.push(String(status)),
    onData: (bytes) => void told.push(bytes.toString('latin1')),
    onEnd: () => over.resolve('answered'),
    onFailure: (error) => over.resolve(error.message),
    ...react,
  };
  return { call, told, over: over.promise };
}

test('a request that is not wanted any more when its connection is made is not sent', async () => {
  const site = await startSite(OK());
  const connections = createSlotConnections({ port: site.port }, LIMITS);
  const { call } = createCall('/late', { onSent: () => false });
  connections.send(call, 'kept');
  await until(() => site.wires[0], 'a connection');
  await site.wires[0]?.untilGone();
  expect(site.received()).toBe('');
  expect(connections.busy()).toBe(0);
});

test('all that one read brings of a body is handed on in one piece', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    const chunks = Array.from({ length: 5000 }, (_, i) => `1\r\n${i % 10}\r\n`).join('');
    wire.send(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}${chunks}0\r\n\r\n`);
  });
  const connections = createSlotConnections({ port: site.port }, LIMITS);
  const { call, told, over } = createCall('/');
  connections.send(call, 'kept');
  expect(await over).toBe('answered');
  const pieces = told.slice(2);
  expect(pieces.join('')).toBe('0123456789'.repeat(500));
  expect(pieces.length).toBeLessThan(20);
});

test('what a body has brought before a broken chunk is handed on', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}2\r\nok\r\nwrong\r\n`);
  });
  const connections = createSlotConnections({ port: site.port }, LIMITS);
  const { call, told, over } = createCall('/');
  connections.send(call, 'kept');
  expect(await over).toBe('the slot sent a chunk that is none');
  expect(told).toEqual(['sent', '200', 'ok']);
});

test('a request whose call throws fails alone, and its connection is used no more', async () => {
  const site = await startSite(OK());
  const connections = createSlotConnections({ port: site.port }, LIMITS);
  const bad = createCall('/bad', {
    onHead: () => {
      throw new Error('not that field');
    },
  });
  connections.send(bad.call, 'kept');
  expect(await bad.over).toBe('not that field');
  const good = createCall('/good');
  connections.send(good.call, 'kept');
  expect(await good.over).toBe('answered');
  expect(site.wires).toHaveLength(2);
});

test('a request that is abandoned is told nothing more, and its connection ends', async () => {
  const site = await startRawOrigin(() => {});
  const connections = createSlotConnections({ port: site.port }, LIMITS);
  let connection: CallConnection | null = null;
  const { call, told } = createCall('/', {
    onSent: (made) => {
      connection = made;
      return true;
    },
  });
  connections.send(call, 'kept');
  await until(() => site.wires[0]?.text(), 'the request');
  (connection as CallConnection | null)?.abandon(call);
  await site.wires[0]?.untilGone();
  expect(told).toEqual([]);
  expect(connections.busy()).toBe(0);
});

test('a head of more than answerHeadBytes is a fault of the slot', async () => {
  const big = (bytes: number) =>
    `${head('HTTP/1.1 200 OK', `X: ${'x'.repeat(bytes)}`, 'Content-Length: 2')}ok`;
  const site = await startRawOrigin(async (wire) => {
    const text = await wire.until('\r\n\r\n').catch(() => '');
    wire.send(big(text.includes('/big') ? 30_000 : 3000));
  });
  const connections = createSlotConnections({ port: site.port }, { ...LIMITS, headBytes: 16_384 });
  const outcomes = ['/big', '/small'].map((path) => {
    const { call, over } = createCall(path);
    connections.send(call, 'new');
    return over;
  });
  expect(await Promise.all(outcomes)).toEqual([
    expect.stringMatching(/^the slot sent a head of more than \d+ bytes/),
    'answered',
  ]);
});

test('a request that is given up when it is over does no harm to the next one', async () => {
  const site = await startSite(OK());
  const connections = createSlotConnections({ port: site.port }, LIMITS);
  let connection: CallConnection | undefined;
  const first = createCall('/first', {
    onSent: (made) => {
      connection = made;
      return true;
    },
  });
  connections.send(first.call, 'kept');
  expect(await first.over).toBe('answered');
  const second = createCall('/second');
  connections.send(second.call, 'kept');
  expect(second.told).toEqual(['sent']);
  connection?.abandon(first.call);
  connection?.pause(first.call);
  expect(await second.over).toBe('answered');
  expect(site.wires).toHaveLength(1);
});

test('the audit ends a connection whose request is over, and leaves alone the others', async () => {
  const site = await startRawOrigin(() => {});
  const { port, plane } = await startPlane({ blue: site.port });
  const [gone, stays] = [await rawClient(port), await rawClient(port)];
  gone.send(get('/gone'));
  await until(() => site.received().includes('/gone'), 'the first request');
  stays.send(get('/stays'));
  await until(() => site.received().includes('/stays'), 'the second request');
  // Nothing is known that forgets a connection: the exchange does here.
  const abandon = vi.spyOn(SlotConnection.prototype, 'abandon').mockImplementation(() => {});
  gone.socket.destroy();
  await until(() => plane.inflight.counts.blue === 1, 'the end of the first request');
  abandon.mockRestore();
  expect(site.wires.map((wire) => wire.state())).toEqual(['open', 'open']);
  expect(plane.audit().map(({ message }) => message)).toEqual([
    'blue: 1 connections were taken by requests that are over',
  ]);
  expect(await site.wires[0]?.untilGone()).not.toBe('open');
  expect(site.wires[1]?.state()).toBe('open');
  expect(plane.audit()).toEqual([]);
});

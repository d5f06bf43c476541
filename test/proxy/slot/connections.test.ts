import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { afterEach, describe, expect, test, vi } from 'vitest';
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

describe('a connection to the site', () => {
  test('is used again', async () => {
    const site = await startSite(OK());
    await askInTurn(site, 3);
    expect(site.wires).toHaveLength(1);
  });

  test.each([
    ['the site says `close`', OK('Connection: close')],
    ['the site speaks HTTP/1.0', OK('Connection: keep-alive').replace('/1.1', '/1.0')],
    ['the site keeps it for a second only', OK('Keep-Alive: timeout=1, max=100')],
    ['bytes come after the answer', `${OK()}?`],
  ])('is not used again when %s', async (_why, bytes) => {
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
  ])('is kept for %s', async (_how, bytes, ms) => {
    const site = await startSite(bytes);
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    await askInTurn(site, 2, () => now.mockReturnValue(ms - 1));
    expect(site.wires).toHaveLength(1);
    await askInTurn(site, 2, () => now.mockReturnValue(2 * ms));
    expect(site.wires).toHaveLength(3);
  });

  test('is closed when it has been idle for that long', async () => {
    const site = await startSite(OK('Keep-Alive: timeout=2'));
    await askInTurn(site, 1);
    await until(() => site.wires[0]?.state() === 'ended', 'the connection to be closed');
  });

  test('that the site closes while idle costs nobody anything', async () => {
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

  test('on which a word comes that nobody has asked for is closed, and used no more', async () => {
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
});

describe('a request', () => {
  test('goes out with the others of its turn, at the end of that', async () => {
    const site = await startSite(OK());
    const connections = createSlotConnections(site.port, {
      connectTimeoutMs: 5000,
      bodyTimeoutMs: 0,
    });
    const begun: string[] = [];
    const ask = (name: string) =>
      new Promise<void>((resolve, reject) => {
        const handler: Dispatcher.DispatchHandler = {
          onRequestStart: () => void begun.push(name),
          onResponseEnd: () => resolve(),
          onResponseError: (_controller, error) => reject(error),
        };
        connections.send({ method: 'GET', head: get(`/${name}`), handler }, 'kept');
      });
    await Promise.all([ask('a'), ask('b')]);
    begun.length = 0;
    const both = [ask('c')];
    await Promise.resolve();
    both.push(ask('d'));
    expect(begun).toEqual([]);
    await nextTurn();
    expect(begun).toEqual(['c', 'd']);
    await Promise.all(both);
    expect(site.wires).toHaveLength(2);
  });

  test('that is given up before it is sent is not sent', async () => {
    const site = await startSite(OK());
    const connections = createSlotConnections(site.port, {
      connectTimeoutMs: 5000,
      bodyTimeoutMs: 0,
    });
    const failed = await new Promise<Error>((resolve) => {
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart: (controller) => controller.abort(new Error('too late')),
        onResponseError: (_controller, error) => resolve(error),
      };
      connections.send({ method: 'GET', head: get('/late'), handler }, 'kept');
    });
    expect(failed.message).toBe('too late');
    await site.wires[0]?.untilGone();
    expect(site.received()).toBe('');
  });

  test('has its handler told once that bytes have come, with the first of them', async () => {
    const site = await startRawOrigin(() => {});
    const connections = createSlotConnections(site.port, {
      connectTimeoutMs: 5000,
      bodyTimeoutMs: 0,
    });
    const told: string[] = [];
    const ended = new Promise<void>((resolve) => {
      const handler: Dispatcher.DispatchHandler = {
        onResponseStarted: () => void told.push('bytes'),
        onResponseStart: () => void told.push('head'),
        onResponseEnd: () => resolve(),
      };
      connections.send({ method: 'GET', head: get('/'), handler }, 'kept');
    });
    const wire = await until(() => site.wires[0], 'a connection to the site');
    wire.send('H');
    await until(() => told.length > 0, 'the first byte');
    wire.send(OK().slice(1, -1));
    await until(() => told.includes('head'), 'the head');
    wire.send('k');
    await ended;
    expect(told).toEqual(['bytes', 'head']);
  });

  test('whose handler throws fails alone, and its connection is used no more', async () => {
    const site = await startSite(OK());
    const connections = createSlotConnections(site.port, {
      connectTimeoutMs: 5000,
      bodyTimeoutMs: 0,
    });
    const ask = (onResponseStart: () => void) =>
      new Promise<string>((resolve) => {
        const handler: Dispatcher.DispatchHandler = {
          onResponseStart,
          onResponseEnd: () => resolve('answered'),
          onResponseError: (_controller, error) => resolve(error.message),
        };
        connections.send({ method: 'GET', head: get('/'), handler }, 'kept');
      });
    const refuse = () => {
      throw new Error('not that field');
    };
    expect(await ask(refuse)).toBe('not that field');
    expect(await ask(() => {})).toBe('answered');
    expect(site.wires).toHaveLength(2);
  });

  test('that is stopped when it is over does no harm to the next one', async () => {
    const site = await startSite(OK());
    const connections = createSlotConnections(site.port, {
      connectTimeoutMs: 5000,
      bodyTimeoutMs: 0,
    });
    const ask = () =>
      new Promise<Dispatcher.DispatchController | null>((resolve) => {
        const handler: Dispatcher.DispatchHandler = {
          onResponseEnd: resolve,
          onResponseError: () => resolve(null),
        };
        connections.send({ method: 'GET', head: get('/'), handler }, 'kept');
      });
    const first = await ask();
    const second = ask();
    // So that the second one is on the connection by then.
    await nextTurn();
    first?.abort(new Error('the visitor has gone'));
    first?.resume();
    expect(await second).not.toBeNull();
    expect(site.wires).toHaveLength(1);
  });
});

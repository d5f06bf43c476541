import { describe, expect, test } from 'vitest';
import {
  type FailedAttempt,
  type NextAttempt,
  nextAttempt,
} from '../../../src/proxy/forward/retry.ts';
import type { Slot } from '../../../src/slots/slot.ts';
import { freePorts } from '../../support/free-ports.ts';
import { type Origin, startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { ask, get, head, type RawClient, rawClient, type Wire } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const post = head('POST /', 'Host: a', 'Content-Length: 0');
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A site that answers a connection's first request, and closes without a byte when a second one comes. */
function startForgetful(close: (wire: Wire) => void): Promise<Origin> {
  return startRawOrigin(async (wire) => {
    const isWhole = (text: string) => {
      const [fields = '', body] = text.split('\r\n\r\n');
      return body !== undefined && (body !== '' || !/content-length: [1-9]/i.test(fields));
    };
    await wire.until(isWhole).catch(() => {});
    const first = wire.text().length;
    wire.send(wire.text().startsWith('HEAD') ? OK.slice(0, -2) : OK);
    await wire.until((text) => text.length > first).catch(() => {});
    if (wire.state() === 'open') close(wire);
  });
}

const CLOSINGS: [string, (wire: Wire) => void][] = [
  ['a close', (wire) => wire.socket.destroy()],
  ['an end', (wire) => wire.socket.end()],
  ['a reset', (wire) => wire.socket.resetAndDestroy()],
];

/** How often a request with this mark has reached a site. */
function times(site: Origin, mark: string): number {
  return site.received().split(mark).length - 1;
}

/** A plane that keeps a used connection to the site, and a client whose first request was sent on that. */
async function warmedUp(
  site: Origin,
  first = get('/warm-up'),
): Promise<RawClient & { plane: Plane }> {
  const { port, plane } = await startPlane({ blue: site.port, warm: { green: false } });
  const client = await rawClient(port);
  client.send(first);
  expect((await client.answer()).status).toBe(200);
  return { ...client, plane };
}

type Plane = Awaited<ReturnType<typeof startPlane>>['plane'];

async function second(client: RawClient, bytes: string) {
  client.send(bytes);
  const answers = await client.answers(2, ['GET', bytes.slice(0, bytes.indexOf(' '))]);
  return answers[1];
}

describe.each(CLOSINGS)('a used connection that is lost to %s', (_name, close) => {
  test.each(['GET', 'HEAD', 'OPTIONS'])('%s is sent again, and counted', async (method) => {
    const site = await startForgetful(close);
    const client = await warmedUp(site);
    const answer = await second(client, head(`${method} /again`, 'Host: a'));
    expect(answer?.status).toBe(200);
    expect(times(site, '/again')).toBe(2);
    expect(client.plane.counters.retries).toBe(1);
    expect(client.plane.counters.failovers).toBe(0);
  });

  test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'PURGE'])('%s is not', async (method) => {
    const site = await startForgetful(close);
    const client = await warmedUp(site);
    const answer = await second(client, head(`${method} /again`, 'Host: a', 'Content-Length: 0'));
    expect(answer?.status).toBe(502);
    expect(times(site, '/again')).toBe(1);
    expect(client.plane.counters.retries).toBe(0);
  });

  test('a GET with a body is not', async () => {
    const site = await startForgetful(close);
    const withBody = (line: string) => `${head(line, 'Host: a', 'Content-Length: 4')}body`;
    const client = await warmedUp(site, withBody('POST /warm-up'));
    expect((await second(client, withBody('GET /again')))?.status).toBe(502);
    expect(times(site, '/again')).toBe(1);
    expect(site.wires).toHaveLength(1);
  });
});

test.each([
  ['after a piece of its answer’s head', 'HTTP/1.1 2'],
  ['without a word', ''],
])('a GET on a new connection that closes %s is sent again, once', async (_when, said) => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(said);
    wire.socket.end();
  });
  const { port, plane } = await startPlane({ blue: site.port });
  expect((await ask(port, get())).status).toBe(502);
  expect(site.wires).toHaveLength(2);
  expect(plane.counters).toMatchObject({ retries: 1, failovers: 0, upstreamErrors: { blue: 1 } });
});

test('a GET of which the visitor has got an informational answer is not sent again', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(head('HTTP/1.1 103 Early Hints', 'Link: </a>'));
    wire.socket.end();
  });
  const { port } = await startPlane({ blue: site.port });
  expect((await ask(port, get())).status).toBe(502);
  expect(site.wires).toHaveLength(1);
});

test('an answer that is none is not asked for again', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send('SSH-2.0\r\n');
  });
  const { port } = await startPlane({ blue: site.port });
  expect((await ask(port, get())).status).toBe(502);
  expect(site.wires).toHaveLength(1);
});

const LOST: FailedAttempt = {
  method: 'GET',
  hasBody: false,
  refused: false,
  lost: true,
  sentBefore: false,
  refusedForMs: null,
};
const REFUSED: FailedAttempt = { ...LOST, lost: false, refused: true };

const again: NextAttempt = { kind: 'retry', slot: 'blue', afterMs: 50 };
const over: NextAttempt = { kind: 'fail-over', slot: 'green', afterMs: 0 };
const wait = (slot: Slot): NextAttempt => ({ kind: 'wait', slot, afterMs: 100 });

test.for<[string, FailedAttempt, Slot | null, NextAttempt | null]>([
  ['lost GET goes to the same slot', LOST, 'green', again],
  ['lost GET goes to the same slot, whatever the other is', LOST, null, again],
  ['lost HEAD goes to the same slot', { ...LOST, method: 'HEAD' }, null, again],
  ['lost OPTIONS goes to the same slot', { ...LOST, method: 'OPTIONS' }, null, again],
  ['lost GET with a body goes nowhere', { ...LOST, hasBody: true }, 'green', null],
  ['lost GET that was sent twice goes nowhere', { ...LOST, sentBefore: true }, 'green', null],
  ['lost POST goes nowhere', { ...LOST, method: 'POST' }, 'green', null],
  ['lost PUT goes nowhere', { ...LOST, method: 'PUT' }, 'green', null],
  ['lost DELETE goes nowhere', { ...LOST, method: 'DELETE' }, 'green', null],
  ['lost get, which is no GET, goes nowhere', { ...LOST, method: 'get' }, 'green', null],
  ['refused GET goes to the other slot', REFUSED, 'green', over],
  [
    'refused POST with a body goes to the other slot',
    { ...REFUSED, method: 'POST', hasBody: true },
    'green',
    over,
  ],
  ['refused GET with no other slot waits', REFUSED, null, wait('blue')],
  ['refused POST with no other slot goes nowhere', { ...REFUSED, method: 'POST' }, null, null],
  [
    'refused GET with a body and no other slot goes nowhere',
    { ...REFUSED, hasBody: true },
    null,
    null,
  ],
  ['GET that both slots refuse waits', { ...REFUSED, refusedForMs: 0 }, 'green', wait('green')],
  [
    'POST that both slots refuse goes nowhere',
    { ...REFUSED, method: 'POST', refusedForMs: 0 },
    'green',
    null,
  ],
  ['GET that is refused for 2 s goes nowhere', { ...REFUSED, refusedForMs: 2000 }, 'green', null],
  [
    'GET that is refused after it was lost goes to the other slot',
    { ...REFUSED, sentBefore: true },
    'green',
    over,
  ],
  ['GET that failed in another way goes nowhere', { ...LOST, lost: false }, 'green', null],
])('a %s', ([, attempt, other, expected]) => {
  expect(nextAttempt(attempt, 'blue', other)).toEqual(expected);
});

test('a request is sent twice at most', async () => {
  let warm = true;
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    if (!warm) return void wire.socket.destroy();
    wire.send(OK);
    await wire.until('/again').catch(() => {});
    wire.socket.destroy();
  });
  const client = await warmedUp(site);
  warm = false;
  expect((await second(client, get('/again')))?.status).toBe(502);
  expect(times(site, '/again')).toBe(2);
  expect(client.plane.counters.retries).toBe(1);
});

test('a slot that dies, losing an idle connection and refusing the new one, is left for the standby', async () => {
  const green = await startOrigin((_request, response) => response.end('green'));
  const blue = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(OK);
    await wire.until('/again');
    blue.server.close();
    wire.socket.destroy();
  });
  const { port, plane } = await startPlane({ blue: blue.port, green: green.port });
  const client = await rawClient(port);
  client.send(get('/warm-up'));
  expect((await client.answer()).status).toBe(200);
  expect(await second(client, get('/again'))).toMatchObject({ status: 200, body: 'green' });
  expect(plane.counters).toMatchObject({ retries: 1, failovers: 1 });
});

test.each(['GET', 'POST'])(
  'a slot that refuses: %s goes to the warm standby, whole, and is counted',
  async (method) => {
    const green = await startOrigin(async (request, response) => {
      let body = '';
      for await (const piece of request) body += piece;
      response.end(`green got ${body}`);
    });
    const { port, plane } = await startPlane({ green: green.port });
    const answer = await ask(port, `${head(`${method} /`, 'Host: a', 'Content-Length: 4')}body`);
    expect(answer).toMatchObject({ status: 200, body: 'green got body' });
    expect(plane.counters).toMatchObject({ failovers: 1, retries: 0 });
    const answered = plane.counters.traffic.map(({ slot, classes }) => [slot, classes[2]]);
    expect(answered).toEqual([
      ['blue', 0],
      ['green', 1],
    ]);
    await until(() => plane.inflight.counts.green === 0, 'nothing in flight');
    expect(plane.inflight.counts.blue).toBe(0);
  },
);

test('a slot that refuses is not left for a cold standby', async () => {
  const green = await startOrigin((_request, response) => response.end('green'));
  const { port, plane } = await startPlane({ green: green.port, warm: { green: false } });
  expect((await ask(port, post)).status).toBe(503);
  expect(green.received()).toBe('');
  expect(plane.counters).toMatchObject({ failovers: 0, upstreamErrors: { blue: 1, green: 0 } });
});

test('a slot that refuses with the other one refusing too: a POST gets 503 after one try each', async () => {
  const { port, plane } = await startPlane();
  expect((await ask(port, post)).status).toBe(503);
  expect(plane.counters).toMatchObject({ failovers: 1, retries: 0 });
  expect(plane.inflight.counts).toEqual({ blue: 0, green: 0 });
});

test('a GET that nobody takes waits for an instance that is started again', async () => {
  const [free] = (await freePorts(1)) as [number];
  const { port, plane } = await startPlane({ blue: free, warm: { green: false } });
  const answer = ask(port, get());
  await until(() => plane.places().blue === 1, 'it waits');
  const refused = performance.now();
  await startOrigin((_request, response) => response.end('again'), {}, free);
  expect(await answer).toMatchObject({ status: 200, body: 'again' });
  expect(performance.now() - refused).toBeLessThan(2000);
  expect(plane.counters).toMatchObject({ retries: 0, failovers: 0, upstreamErrors: { blue: 0 } });
});

test('a GET that nobody takes for 2 s gets 503', async () => {
  const { port, plane } = await startPlane();
  const asked = performance.now();
  expect((await ask(port, get())).status).toBe(503);
  expect(performance.now() - asked).toBeGreaterThan(1900);
  expect(plane.counters).toMatchObject({ failovers: 1, retries: 0 });
  expect(plane.inflight.counts).toEqual({ blue: 0, green: 0 });
});

test('a visitor who leaves while the request waits for an instance leaves nothing behind', async () => {
  const { port, plane } = await startPlane();
  const client = await rawClient(port);
  client.send(get());
  await until(() => plane.places().green === 1, 'it waits');
  client.socket.destroy();
  await until(() => plane.inflight.counts.green + plane.inflight.counts.blue === 0, 'it is over');
  expect(plane.places()).toEqual({ blue: 0, green: 0 });
});

import { expect, test } from 'vitest';
import { startPlane, startRawOrigin, startSilent } from '../../support/plane.ts';
import { chunk, get, head, rawClient, type Wire } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const CHUNKED = 'Transfer-Encoding: chunked';

const starts: [string, string][] = [
  ['with a length', `${head('HTTP/1.1 200 OK', 'Content-Length: 100')}part`],
  ['in chunks', `${head('HTTP/1.1 200 OK', CHUNKED)}${chunk('part')}`],
  ['in the middle of a chunk', `${head('HTTP/1.1 200 OK', CHUNKED)}64\r\npart`],
  ['before the last chunk’s end', `${head('HTTP/1.1 200 OK', CHUNKED)}${chunk('part')}0\r\n`],
];
const ends: [string, (wire: Wire) => void][] = [
  ['ends', (wire) => void wire.socket.end()],
  ['resets', (wire) => void wire.socket.resetAndDestroy()],
  ['sends garbage', (wire) => void wire.socket.end('GARBAGE\r\n')],
];
const cases = starts.flatMap(([start, bytes]) =>
  ends.map(([end, act]) => [start, end, bytes, act] as const),
);

test.for(cases)(
  'a site that breaks off in the middle of its answer: %s, and %s, breaks the visitor’s connection',
  async ([, , bytes, act]) => {
    const { answer, client, plane } = await brokenOff(get(), bytes, act);
    expect(answer).toMatchObject({ status: 200, complete: false });
    expect(client.text()).not.toMatch(/\r\n0\r\n\r\n$/);
    await until(() => plane.inflight.counts.blue === 0, 'the request to be counted off');
  },
);

test.for(cases)(
  'a site that breaks off in the middle of its answer: %s, and %s, resets a visitor’s of HTTP/1.0',
  async ([, , bytes, act]) => {
    const { client } = await brokenOff(head('GET / HTTP/1.0', 'Host: a'), bytes, act);
    // A plain end would be a good end.
    expect(client.state()).toBe('reset');
  },
);

test.for(['GET', 'POST'])(
  'a site that breaks off in the middle of its answer is broken off for a request that Node sends: %s',
  async (method) => {
    const request = `${head(`${method} /`, 'Host: a', CHUNKED, 'Trailer: X')}${chunk('')}`;
    const start = `${head('HTTP/1.1 200 OK', CHUNKED)}${chunk('part')}`;
    const { answer } = await brokenOff(request, start, (wire) => wire.socket.resetAndDestroy());
    expect(answer).toMatchObject({ status: 200, complete: false });
  },
);

async function brokenOff(request: string, bytes: string, act: (wire: Wire) => void) {
  const site = await startSilent();
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(request);
  const wire = await site.connection();
  await wire.until('\r\n\r\n');
  wire.send(bytes);
  await client.until('part');
  act(wire);
  await client.untilGone();
  const [answer] = await client.answers(1);
  return { answer: { ...answer, complete: isWhole(client.text()) }, client, plane };
}

test.for([
  ['closes', (wire: Wire): void => void wire.socket.end()],
  ['resets', (wire: Wire): void => void wire.socket.resetAndDestroy()],
  ['is not HTTP', (wire: Wire) => wire.send('220 mail.test ESMTP\r\n')],
  ['has a broken head', (wire: Wire) => wire.send('HTTP/1.1 200 OK\r\nX-A: 1\x00\r\n\r\n')],
  ['has a bad length', (wire: Wire) => wire.send(head('HTTP/1.1 200 OK', 'Content-Length: x'))],
  [
    'has two lengths',
    (wire: Wire) =>
      wire.send(head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 2').concat('ab')),
  ],
  [
    'has a head without end',
    (wire: Wire) => wire.send(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(100_000)}`),
  ],
] as const)(
  'a site that breaks off before its answer: %s: 502, and the visitor’s connection stays',
  async ([, act]) => {
    const site = await startRawOrigin(async (wire) => {
      await wire.until('\r\n\r\n').catch(() => {});
      act(wire);
    });
    const { port, plane } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(get());
    expect((await client.answer()).status).toBe(502);
    expect(client.state()).toBe('open');
    expect(plane.counters.upstreamErrors.blue).toBe(1);
    client.send(get());
    expect((await client.answers(2)).map(({ status }) => status)).toEqual([502, 502]);
  },
);

/** Whether a client could take the answer for a whole one; without a frame of its own, any end is good. */
function isWhole(text: string): boolean {
  if (/content-length: 100\r\n/i.test(text)) return text.split('\r\n\r\n')[1]?.length === 100;
  return text.endsWith('\r\n0\r\n\r\n');
}

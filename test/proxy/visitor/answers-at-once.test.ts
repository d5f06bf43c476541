/** Answers of which the proxy gets more than the head at a time: it keeps them back for an instant (send-soon.ts). */
import { expect, test } from 'vitest';
import { startFixed, startOrigin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { chunk, get, head, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const OK = 'HTTP/1.1 200 OK';
const CHUNKED = 'Transfer-Encoding: chunked';
const KIB = 1024;

/** More than fits into one read, and into what a socket takes before it asks for a pause. */
const LONG = Array.from({ length: 60 }, (_, i) =>
  String.fromCharCode(65 + (i % 26)).repeat(8 * KIB),
);

const WHOLE: [string, string, string][] = [
  ['with a length', `${head(OK, 'Content-Length: 5')}hello`, 'hello'],
  ['with a length of 0', head(OK, 'Content-Length: 0'), ''],
  ['in chunks', `${head(OK, CHUNKED)}${chunk('he')}${chunk('llo')}${chunk('')}`, 'hello'],
  ['in chunks, of none', `${head(OK, CHUNKED)}${chunk('')}`, ''],
  ['in many chunks', `${head(OK, CHUNKED)}${LONG.map(chunk).join('')}${chunk('')}`, LONG.join('')],
  [
    'that is long',
    head(OK, `Content-Length: ${LONG.join('').length}`) + LONG.join(''),
    LONG.join(''),
  ],
  [
    'after early hints',
    `${head('HTTP/1.1 103 Early Hints')}${head(OK, 'Content-Length: 2')}ok`,
    'ok',
  ],
];

test.for(WHOLE)(
  'an answer that comes all at once: %s reaches the visitor, and the connection serves on',
  async ([, bytes, body]) => {
    const site = await startRawOrigin(async (wire) => {
      for (let count = 1; ; count++) {
        const asked = await wire
          .until((text) => text.split('\r\n\r\n').length > count)
          .catch(() => null);
        if (asked === null) return;
        wire.send(bytes);
      }
    });
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    for (let count = 1; count <= 3; count++) {
      client.send(get());
      const answers = await client.answers(count);
      expect(answers).toHaveLength(count);
      expect(answers.at(-1)).toMatchObject({ status: 200, body });
    }
  },
);

test('an answer that comes all at once without a length ends with the connection of the site', async () => {
  const site = await startFixed(`${head(OK, 'Connection: close')}to the end`, ({ socket }) =>
    socket.end(),
  );
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get());
  expect(await client.answer()).toMatchObject({ status: 200, body: 'to the end' });
});

test('an answer that comes all at once is not taken for complete when the site breaks off in the same instant', async () => {
  const site = await startFixed(`${head(OK, CHUNKED)}${chunk('half')}`, ({ socket }) =>
    socket.destroy(),
  );
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get());
  await client.untilGone();
  expect(client.text()).not.toContain('\r\n0\r\n');
});

test('an answer that comes all at once answers pipelined requests in their order', async () => {
  const site = await startOrigin((request, response) => void response.end(request.url));
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(['/1', '/2', '/3', '/4'].map((path) => get(path)).join(''));
  const answers = await client.answers(4);
  expect(answers.map(({ body }) => body)).toEqual(['/1', '/2', '/3', '/4']);
});

test.for([
  ['with a length', head(OK, 'Content-Length: 10'), 'first', 'rest.'],
  ['in chunks', head(OK, CHUNKED), chunk('first'), `${chunk('rest.')}${chunk('')}`],
] as const)(
  'an answer that comes in parts: %s reaches the visitor part by part',
  async ([, start, first, rest]) => {
    const site = await startFixed(start + first);
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(get());
    await client.until('first');
    expect(client.text()).not.toContain('rest.');
    (await until(() => site.wires[0], 'the connection to the site')).send(rest);
    expect(await client.answer()).toMatchObject({ status: 200, body: 'firstrest.' });
  },
);

test('an answer that comes in parts begins with its head when that is all there is', async () => {
  const site = await startFixed(head(OK, CHUNKED, 'X-First: yes'));
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get());
  expect(await client.until('\r\n\r\n')).toContain('X-First: yes');
});

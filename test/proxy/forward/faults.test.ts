/** What one exchange throws ends that exchange, and nothing else. */

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import {
  startEcho,
  startFixed,
  startOrigin,
  startPlane,
  startRawOrigin,
} from '../../support/plane.ts';
import { ask, chunk, get, head, rawClient } from '../../support/raw-http.ts';
import { http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const CHUNKED = 'Transfer-Encoding: chunked';

const REQUESTS: [string, Record<string, string>, string][] = [
  ['a GET', { ':method': 'GET' }, ''],
  ['a POST', { ':method': 'POST' }, 'body'],
  ['a question whether to send a body', { ':method': 'POST', expect: '100-continue' }, 'body'],
  ['a POST that announces trailers', { ':method': 'POST', trailer: 'x-sum' }, 'body'],
];

describe.each([600, 999])('an answer of status %i', (status) => {
  const site = () => startFixed(`${head(`HTTP/1.1 ${status} Odd`, 'Content-Length: 2')}ok`);

  test('reaches visitors over HTTP/1.1', async () => {
    const { port } = await startPlane({ blue: (await site()).port });
    expect(await ask(port, get())).toMatchObject({ status, body: 'ok' });
  });

  test.each(REQUESTS)('reaches visitors over HTTP/2: %s', async (_what, fields, body) => {
    const proxy = { tls: await makeCertificate() };
    const { port } = await startPlane({ blue: (await site()).port, proxy });
    const session = await http2Session(port);
    const stream = session.request({ ':path': '/', ...fields });
    stream.on('error', () => {});
    if (body !== '') stream.end(body);
    const [answer] = await once(stream, 'response');
    expect(answer[':status']).toBe(status);
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('ok');
  });
});

describe.each(['000', '099', '101'])('an answer of status %s', (status) => {
  const start = (bytes = head(`HTTP/1.1 ${status} No`, 'Connection: upgrade', 'Upgrade: x')) =>
    startRawOrigin(async (wire) => {
      await wire.until('\r\n\r\n').catch(() => {});
      wire.send(bytes);
    });

  test.each([
    ['a GET', get()],
    ['a POST', `${head('POST /', 'Host: a', 'Content-Length: 2')}ok`],
    [
      'a POST in chunks with trailers',
      head('POST /', 'Host: a', CHUNKED, 'Trailer: X') + chunk(''),
    ],
    [
      'a question whether to send a body',
      head('POST /', 'Host: a', 'Content-Length: 2', 'Expect: 100-continue'),
    ],
  ])('is a 502 at once, with one head: %s', async (_what, bytes) => {
    const { port, plane } = await startPlane({ blue: (await start()).port });
    const client = await rawClient(port);
    client.send(bytes);
    expect((await client.answer()).status).toBe(502);
    expect(client.text().match(/HTTP\/1\.1 /g)).toHaveLength(1);
    client.socket.destroy();
    await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
  });

  test.each(REQUESTS)('is a 502 over HTTP/2: %s', async (_what, fields, body) => {
    const proxy = { tls: await makeCertificate() };
    const { port } = await startPlane({ blue: (await start()).port, proxy });
    const session = await http2Session(port);
    const stream = session.request({ ':path': '/', ...fields });
    stream.on('error', () => {});
    if (body !== '') stream.end(body);
    const [answer] = await once(stream, 'response');
    expect(answer[':status']).toBe(502);
  });
});

test('a connection that is reset in an answer without a length never looks whole, to a POST either', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(`${head('HTTP/1.1 200 OK')}part`);
  });
  const { port } = await startPlane({ blue: site.port });
  for (const bytes of [get(), `${head('POST /', 'Host: a', 'Content-Length: 2')}ok`]) {
    const client = await rawClient(port);
    client.send(bytes);
    await client.until('part');
    site.wires.at(-1)?.socket.resetAndDestroy();
    await client.untilGone();
    expect(client.text()).not.toMatch(/0\r\n\r\n$/);
  }
});

test('informational answers without end are a 502', async () => {
  const hint = head('HTTP/1.1 103 Early Hints', 'Link: </a>');
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n').catch(() => {});
    wire.send(hint.repeat(1000));
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get());
  expect((await client.answer()).status).toBe(502);
  expect(await site.wires[0]?.untilGone()).not.toBe('open');
});

const CALLS = [
  'writeHead',
  'write',
  'end',
  'flushHeaders',
  'addTrailers',
  'writeContinue',
] as const;

describe.each(CALLS)('%s, which throws', (name) => {
  test('ends its own request and no other, whatever that asks for', async () => {
    const faults: Error[] = [];
    const site = await startOrigin((request, response) => {
      if (request.url === '/fine') return void response.end('fine');
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('one');
      response.addTrailers({ 'x-sum': '1' });
      request.resume().on('end', () => response.end('two'));
    });
    const { port, plane } = await startPlane({
      blue: site.port,
      onFault: (error) => void faults.push(error),
    });
    plane.server.prependListener('request', throwOnce);
    plane.server.prependListener('checkContinue', throwOnce);
    function throwOnce(request: IncomingMessage, response: ServerResponse) {
      if (request.url === '/fine') return;
      const real = response[name] as () => unknown;
      let isFirst = true;
      Object.assign(response, {
        [name](...values: []) {
          if (!isFirst) return real.apply(response, values);
          isFirst = false;
          throw new Error(`${name} does not work`);
        },
      });
    }
    const upload = (...fields: string[]) =>
      head('POST /', 'Host: a', CHUNKED, ...fields) + chunk('body') + chunk('');
    for (const bytes of [get(), upload(), upload('Expect: 100-continue')]) {
      const client = await rawClient(port);
      client.send(bytes);
      const other = await ask(port, get('/fine'));
      expect(other).toMatchObject({ status: 200, body: 'fine' });
      // The visitor stays: it is not their leaving that ends the request.
      await until(() => plane.inflight.counts.blue === 0, 'nothing in flight');
      expect(client.state() !== 'open' || client.text() !== '').toBe(true);
      client.socket.destroy();
    }
    expect(plane.places()).toEqual({ blue: 0, green: 0 });
    expect(plane.audit()).toEqual([]);
    for (const { message } of faults) expect(message).toContain('does not work');
  });
});

test('fields with the names of what objects have reach site and visitor as they are', async () => {
  const odd = ['constructor: a', '__proto__: b', 'toString: c', 'hasOwnProperty: d'];
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const answer = await ask(port, get('/', ...odd));
  const raw: string[] = JSON.parse(answer.body).rawHeaders;
  for (const line of odd) {
    const [name, value] = line.split(': ') as [string, string];
    expect(raw[raw.indexOf(name) + 1]).toBe(value);
  }
});

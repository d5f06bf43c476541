import { expect, test } from 'vitest';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { chunk, get, head, rawClient, watch } from '../../support/raw-http.ts';
import { makeCertificate, tlsSocket } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

/** A site that answers with the method and the target that it was asked for. */
const startEcho = () =>
  startOrigin((request, response) => {
    request.resume().on('end', () => response.end(`${request.method} ${request.url}`));
  });

test('a plain request that is cut at any byte is answered like a whole one', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  const request = get('/cut', 'Accept: */*');
  for (let at = 1; at < request.length; at++) {
    client.send(request.slice(0, at));
    await new Promise((resolve) => setImmediate(resolve));
    client.send(request.slice(at));
    const answers = await client.answers(at);
    expect(answers.at(-1)?.body).toBe('GET /cut');
  }
});

test('plain requests and others on one connection are answered in their order', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  const post = `${head('POST /b', 'Host: site', 'Transfer-Encoding: chunked')}${chunk('x')}${chunk('')}`;
  client.send(get('/a') + post + get('/c') + head('HEAD /d', 'Host: site'));
  await client.until((text) => text.match(/HTTP\/1\.1 200/g)?.length === 4);
  const order = [...client.text().matchAll(/(?:GET|POST) \/\w/g)].map(([line]) => line);
  expect(order).toEqual(['GET /a', 'POST /b', 'GET /c']);
});

test('a connection that has brought another request is Node’s from there on', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  for (let i = 0; i < 3; i++) {
    client.send(head('OPTIONS /', 'Host: site'));
    client.send(get('/after'));
    expect((await client.answers(2 * i + 2)).at(-1)?.body).toBe('GET /after');
  }
});

test('a plain head that does not come to its end is answered 408 in time', async () => {
  const site = await startEcho();
  const { port } = await startPlane({
    blue: site.port,
    proxy: { limits: { headersTimeoutMs: 200 } },
  });
  const client = await rawClient(port);
  client.send('GET / HTTP/1.1\r\nHost: si');
  expect(await client.untilGone()).toBe('ended');
  expect(client.text()).toMatch(/^HTTP\/1\.1 408 /);
});

test('an idle connection is closed without a word after a plain request', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { keepAliveTimeoutMs: 100 } });
  const client = await rawClient(port);
  client.send(get('/'));
  const [answer] = await client.answers(1);
  expect(answer?.body).toBe('GET /');
  const length = client.text().length;
  expect(await client.untilGone()).toBe('ended');
  expect(client.text().length).toBe(length);
});

test.each(['OPTIONS * RTSP/1.0', 'GET / RTSP/1.1', 'POST / ICE/1.0'])(
  '%s is refused, though it comes in pieces',
  async (line) => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(line.slice(0, -3));
    await until(() => client.socket.bytesWritten > 0, 'the first piece to be sent');
    client.send(`${line.slice(-3)}\r\nHost: site\r\n\r\n`);
    expect(await client.untilGone()).toBe('ended');
    expect(client.text()).toMatch(/^HTTP\/1\.1 400 /);
    expect(site.received()).toBe('');
  },
);

test('a visitor who leaves while a plain request is worked on is noticed at the slot', async () => {
  const site = await startOrigin(() => {});
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get('/'));
  await until(() => plane.inflight.counts.blue === 1, 'the request to be sent');
  client.socket.destroy();
  await until(() => plane.inflight.counts.blue === 0, 'the exchange to end');
  expect(plane.places().blue).toBe(0);
});

test('plain requests over TLS are answered like those without', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { tls: await makeCertificate() } });
  const wire = watch(await tlsSocket(port));
  wire.send(get('/a') + get('/b') + head('OPTIONS /c', 'Host: site'));
  await wire.until('OPTIONS /c');
  const bodies = [...wire.text().matchAll(/(?:GET|OPTIONS) \/\w/g)].map(([body]) => body);
  expect(bodies).toEqual(['GET /a', 'GET /b', 'OPTIONS /c']);
});

test.each([['plain'], ['TLS']])(
  'a long body behind a request that is answered reaches the site whole and in order: %s',
  async (how) => {
    const bodies: string[] = [];
    const site = await startOrigin(async (request, response) => {
      if (request.method === 'GET') await new Promise((resolve) => setTimeout(resolve, 30));
      let body = '';
      for await (const chunk of request) {
        body += chunk;
      }
      if (request.method === 'POST') bodies.push(body);
      response.end('read');
    });
    const tls = how === 'TLS' ? await makeCertificate() : undefined;
    const { port } = await startPlane({ blue: site.port, proxy: { ...(tls && { tls }) } });
    const body = Array.from({ length: 60_000 }, (_, i) => `${i};`).join('');
    const wire = tls ? watch(await tlsSocket(port)) : await rawClient(port);
    const post = head('POST /', 'Host: site', `Content-Length: ${body.length}`) + body;
    wire.send(get('/slow'));
    // In pieces of more than one read: only what the stream holds back can be overtaken.
    for (let at = 0; at < post.length; at += 100_000) {
      wire.send(post.slice(at, at + 100_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await wire.until((text) => text.match(/HTTP\/1\.1 200/g)?.length === 2);
    expect(bodies.map((one) => one === body)).toEqual([true]);
  },
);

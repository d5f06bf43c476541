import { expect, test } from 'vitest';
import { startEcho, startFixed, startPlane, startRawOrigin } from '../../support/plane.ts';
import { parseAnswers, requestFields, values } from '../../support/raw-answers.ts';
import { ask, chunk, get, head, rawClient, type Wire } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const CHUNKED = 'Transfer-Encoding: chunked';

test('trailers of a request reach the site, without those that only a head may have', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const trailers = [
    'X-Sum: 42',
    'x-sum: 43',
    'X-Forwarded-For: 6.6.6.6',
    'Connection: close',
    'X-Slots-Probe: 1',
    'Host: evil.test',
  ].join('\r\n');
  const answer = await ask(
    port,
    `${head('POST /', 'Host: a', CHUNKED, 'Trailer: X-Sum')}${chunk('body')}0\r\n${trailers}\r\n\r\n`,
  );
  expect(JSON.parse(answer.body)).toMatchObject({
    body: 'body',
    rawTrailers: ['X-Sum', '42', 'x-sum', '43'],
  });
  expect(values(requestFields(site.received()), 'trailer')).toEqual(['X-Sum']);
});

test('trailers of an answer reach the visitor, hop-by-hop ones apart', async () => {
  const site = await startFixed(
    `${head('HTTP/1.1 200 OK', CHUNKED, 'Trailer: X-Sum')}${chunk('body')}0\r\n` +
      'X-Sum: 42\r\nConnection: close\r\nX-Slots-Release: forged\r\nx-SUM: 43\r\n\r\n',
  );
  const { port } = await startPlane({ blue: site.port });
  const answer = await ask(port, get());
  expect(answer).toMatchObject({ body: 'body', framing: 'chunked', complete: true });
  expect(values(answer.fields, 'trailer')).toEqual(['X-Sum']);
  expect(answer.trailers).toEqual([
    ['X-Sum', '42'],
    ['x-SUM', '43'],
  ]);
});

test.for([
  ['HEAD', head('HEAD /', 'Host: a')],
  ['HTTP/1.0', head('GET / HTTP/1.0', 'Host: a')],
  ['OPTIONS *', head('OPTIONS *', 'Host: a')],
] as const)('trailers that an answer to %s announces do no harm', async ([, request]) => {
  const isHead = request.startsWith('HEAD');
  const body = isHead ? '' : `${chunk('body')}0\r\nX-Sum: 42\r\n\r\n`;
  const site = await startFixed(head('HTTP/1.1 200 OK', CHUNKED, 'Trailer: X-Sum') + body);
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(request);
  const answer = await client.answer(request.slice(0, 4));
  expect(answer).toMatchObject({ status: 200, complete: true });
});

test.for([
  ['no body', head('GET /', 'Host: a', 'Trailer: X-Sum')],
  ['a length', `${head('POST /', 'Host: a', 'Trailer: X-Sum', 'Content-Length: 2')}ok`],
  ['the target *', head('OPTIONS *', 'Host: a', 'Trailer: X-Sum')],
] as const)('trailers that are announced by a request with %s do no harm', async ([, request]) => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  expect(await ask(port, request)).toMatchObject({ status: 200, complete: true });
});

test('trailers of a 204 with a Trailer field do no harm', async () => {
  const site = await startFixed(head('HTTP/1.1 204 No Content', 'Trailer: X-Sum'));
  const { port } = await startPlane({ blue: site.port });
  expect((await ask(port, get())).status).toBe(204);
});

test('trailers of a request go to the other slot when the active one refuses', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ green: site.port });
  const client = await rawClient(port);
  client.send(`${head('POST /', 'Host: a', CHUNKED, 'Trailer: X-Sum')}${chunk('first')}`);
  client.send(`${chunk('second')}0\r\nX-Sum: 42\r\n\r\n`);
  const answer = await client.answer();
  expect(JSON.parse(answer.body)).toMatchObject({
    body: 'firstsecond',
    rawTrailers: ['X-Sum', '42'],
  });
});

const asking = head('POST /', 'Host: a', 'Content-Length: 5', 'Expect: 100-continue');

test('Expect: 100-continue is answered 100 once the site has said so, and not before', async () => {
  const site = await startRawOrigin(() => {});
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(asking);
  const wire = await siteHears(site.wires, '\r\n\r\n');
  expect(values(requestFields(wire.text()), 'expect')).toEqual(['100-continue']);
  expect(client.text()).toBe('');
  wire.send(head('HTTP/1.1 100 Continue'));
  expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('hello');
  await wire.until('\r\n\r\nhello');
  wire.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`);
  expect(await client.answer()).toMatchObject({ status: 200, body: 'ok' });
  expect(client.text().match(/100 Continue/g)).toHaveLength(1);
});

test('Expect: 100-continue is answered 100 when the site does not know the question', async () => {
  const site = await startRawOrigin(() => {});
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(asking);
  await client.until('100 Continue');
  client.send('hello');
  await siteHears(site.wires, '\r\n\r\nhello');
});

test('Expect: 100-continue gets the site’s refusal instead of the 100, and the connection closes', async () => {
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    wire.send(head('HTTP/1.1 401 Unauthorized', 'Content-Length: 0'));
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(asking);
  const answer = await client.answer();
  expect(answer.status).toBe(401);
  // What comes next could be the body or another request: RFC 9110 §10.1.1.
  expect(values(answer.fields, 'connection')).toEqual(['close']);
  expect(client.text()).not.toContain('100 Continue');
  expect(site.received()).not.toContain('hello');
});

test('Expect: 100-continue is refused with 413 before any 100, and the site hears nothing', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { limits: { bodyBytes: 4 } } });
  const client = await rawClient(port);
  client.send(asking);
  expect((await client.answer()).status).toBe(413);
  expect(client.text()).not.toContain('100 Continue');
  expect(site.received()).toBe('');
});

test('Expect: 100-continue works with a chunked body, and a site on Node', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(head('POST /', 'Host: a', CHUNKED, 'Expect: 100-continue'));
  await client.until('100 Continue');
  client.send(chunk('hello') + chunk(''));
  expect(JSON.parse((await client.answer()).body).body).toBe('hello');
});

test('Expect: 100-continue of HTTP/1.0 is not answered 100', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  const old = head('POST / HTTP/1.0', 'Host: a', 'Content-Length: 5', 'Expect: 100-continue');
  client.send(`${old}hello`);
  expect(JSON.parse((await client.answer()).body).body).toBe('hello');
  expect(client.text()).toMatch(/^HTTP\/1\.1 200 /);
});

test('Expect: 100-continue of anything else is answered 417', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  expect((await ask(port, get('/', 'Expect: wonders'))).status).toBe(417);
  expect(site.received()).toBe('');
});

const hints = head('HTTP/1.1 103 Early Hints', 'Link: </a>; rel=preload', 'Link: </b>', 'X-A: 1');

test('informational answers: 103 is passed on at once, with all its fields', async () => {
  const site = await startRawOrigin((wire) => wire.until('\r\n\r\n').then(() => wire.send(hints)));
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get());
  expect(await client.until('\r\n\r\n')).toBe(hints);
  site.wires[0]?.send(`${hints}${head('HTTP/1.1 200 OK', 'Content-Length: 0')}`);
  await client.answer();
  const all = parseAnswers(client.text(), [], false);
  expect(all.map((answer) => answer.status)).toEqual([103, 103, 200]);
  expect(values(all[0]?.fields ?? [], 'x-slots-release')).toEqual([]);
});

test('informational answers: 103 is kept from HTTP/1.0, which does not know it', async () => {
  const site = await startFixed(`${hints}${head('HTTP/1.1 200 OK', 'Content-Length: 0')}`);
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(head('GET / HTTP/1.0', 'Host: a'));
  expect((await client.answer()).status).toBe(200);
  expect(client.text()).not.toContain('103');
});

test('informational answers: 101 that nobody has asked for is a broken answer', async () => {
  const site = await startFixed(
    head('HTTP/1.1 101 Switching Protocols', 'Connection: upgrade', 'Upgrade: websocket'),
  );
  const { port } = await startPlane({ blue: site.port });
  expect((await ask(port, get())).status).toBe(502);
});

test.for([
  ['HEAD', 'HTTP/1.1 200 OK', 'Content-Length: 1000', '1000'],
  ['HEAD', 'HTTP/1.1 200 OK', CHUNKED, undefined],
  ['GET', 'HTTP/1.1 204 No Content', 'X-A: 1', undefined],
  ['GET', 'HTTP/1.1 304 Not Modified', 'Content-Length: 1000', '1000'],
  ['GET', 'HTTP/1.1 304 Not Modified', 'ETag: "a"', undefined],
  ['GET', 'HTTP/1.1 200 OK', 'Content-Length: 0', '0'],
] as const)('answers without a body to %s, %s, %s', async ([method, line, field, length]) => {
  const site = await startRawOrigin(async (wire) => {
    for (let count = 1; ; count++) {
      const some = (text: string) => text.split('\r\n\r\n').length > count;
      if (!(await wire.until(some).catch(() => null))) return;
      wire.send(head(line, field));
    }
  });
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(head(`${method} /1`, 'Host: a'));
  const answer = await client.answer(method);
  expect(answer).toMatchObject({ status: Number(line.slice(9, 12)), body: '' });
  expect(values(answer.fields, 'content-length')).toEqual(length === undefined ? [] : [length]);
  client.send(head(`${method} /2`, 'Host: a'));
  const both = await client.answers(2, [method, method]);
  expect(both.map(({ status }) => status)).toEqual([answer.status, answer.status]);
});

async function siteHears(wires: Wire[], wanted: string): Promise<Wire> {
  const wire = await until(() => wires[0], 'a connection to the site');
  await wire.until(wanted);
  return wire;
}

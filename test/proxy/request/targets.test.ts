import { expect, test } from 'vitest';
import { startEcho, startFixed, startPlane } from '../../support/plane.ts';
import { ask, get, head, rawClient } from '../../support/raw-http.ts';

test.for([
  '/',
  '//',
  '//evil.test/x',
  '/a//b///c',
  '/a/./b/../c',
  '/../../etc/passwd',
  '/a/%2e%2e/b',
  '/a/%2E%2e/b',
  '/%00',
  '/%0d%0aX-Evil:%201',
  '/a%2Fb%5c',
  '/a\\b\\..\\c',
  '/%zz%',
  '/?',
  '/?a=1&&b=%20+c?d',
  '/a?b#fragment',
  "/a;b='c'|{}^`\"<>",
  '/http://evil.test/',
  '/*',
])('forwarded byte for byte: %s', async (target) => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  expect((await ask(port, get(target))).status).toBe(200);
  expect(site.received().split('\r\n')[0]).toBe(`GET ${target} HTTP/1.1`);
});

test.for([
  ['http://site.test', '/'],
  ['http://site.test/', '/'],
  ['HTTP://site.test/a/%2e%2e//b?c', '/a/%2e%2e//b?c'],
  ['https://site.test:443/x', '/x'],
  ['http://site.test?q', '/?q'],
  ['http://[::1]:80/x', '/x'],
])('of an absolute target the site gets the origin form: %s', async ([target, path]) => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  expect((await ask(port, get(target))).status).toBe(200);
  expect(site.received().split('\r\n')[0]).toBe(`GET ${path} HTTP/1.1`);
});

test('OPTIONS * reaches the site as it is', async () => {
  const site = await startFixed(head('HTTP/1.1 204 No Content', 'Allow: GET'));
  const { port } = await startPlane({ blue: site.port });
  const answer = await ask(port, head('OPTIONS *', 'Host: site.test'));
  expect(answer).toMatchObject({ status: 204 });
  expect(site.received()).toMatch(/^OPTIONS \* HTTP\/1\.1\r\n/);
});

const hidden = get('/smuggled');

test.for(['DELETE', 'OPTIONS', 'GET', 'HEAD', 'PROPFIND'])(
  'a body whose method usually has none is forwarded as a body of %s, chunked',
  async (method) => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    const size = hidden.length.toString(16);
    const chunked = head(`${method} /outer`, 'Host: a', 'Transfer-Encoding: chunked');
    client.send(`${chunked}${size}\r\n${hidden}\r\n0\r\n\r\n`);
    const first = await client.answer(method);
    expect(first.status).toBe(200);
    if (method !== 'HEAD') expect(JSON.parse(first.body)).toMatchObject({ method, body: hidden });
    client.send(get('/after'));
    const answers = await client.answers(2, [method]);
    expect(JSON.parse(answers[1]?.body ?? '').url).toBe('/after');
    expect(answers.length).toBe(2);
  },
);

test.for(['DELETE', 'OPTIONS', 'GET'])(
  'a body whose method usually has none is forwarded as a body of %s, with a length',
  async (method) => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(head(`${method} /outer`, 'Host: a', `Content-Length: ${hidden.length}`) + hidden);
    const first = await client.answer();
    expect(JSON.parse(first.body)).toMatchObject({ method, url: '/outer', body: hidden });
  },
);

test.for(['DELETE', 'OPTIONS', 'POST'])(
  'a body whose method usually has none is forwarded as a body of %s, chunked and empty',
  async (method) => {
    const site = await startEcho();
    const { port } = await startPlane({ blue: site.port });
    const client = await rawClient(port);
    client.send(`${head(`${method} /`, 'Host: a', 'Transfer-Encoding: chunked')}0\r\n\r\n`);
    client.send(get('/after'));
    const answers = await client.answers(2);
    expect(answers.map((answer) => JSON.parse(answer.body).url)).toEqual(['/', '/after']);
    expect(site.received()).not.toContain('\r\n0\r\n\r\n0');
  },
);

test('a request of HTTP/1.0 without Host is answered, and its connection closed', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(head('GET / HTTP/1.0'));
  expect((await client.answer()).status).toBe(200);
  expect(await client.untilGone()).toBe('ended');
});

test('pipelined requests are answered in order, slow ones first', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
  client.send(paths.map((path) => get(path)).join(''));
  const answers = await client.answers(paths.length);
  expect(answers.map((answer) => JSON.parse(answer.body).url)).toEqual(paths);
});

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { probe } from '../../../src/controller/health/probe.ts';
import { complaintAboutRedirect } from '../../../src/controller/health/redirects.ts';

async function complaint(answer: RequestListener): Promise<string | null> {
  const server = createServer(answer);
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return complaintAboutRedirect(port, '/', 1000, await probe(port, '/', 1000));
}

const redirect = (to: (path: string) => string, more = {}): RequestListener => {
  return ({ url = '' }, response) =>
    void response.writeHead(302, { location: to(url), ...more }).end();
};

test.each<[string, RequestListener, string | null]>([
  ['a page', (_, response) => void response.end(), null],
  ['a redirect to itself', redirect(() => '/'), 'redirects for ever, from / to /'],
  [
    'two redirects to each other',
    redirect((path) => (path === '/' ? '/a' : '/')),
    'redirects for ever, from /a to /',
  ],
  ['ever new redirects', redirect((path) => `${path}x`), 'redirects more than 10 times'],
  [
    'a redirect to a page',
    ({ url }, response) =>
      void (url === '/' ? response.writeHead(301, { location: 'en/' }) : response).end(),
    null,
  ],
  ['a redirect to HTTPS', redirect(() => 'https://127.0.0.1/'), null],
  ['a redirect to another host', redirect(() => 'http://example.org/'), null],
  ['a redirect to itself with a cookie', redirect(() => '/', { 'set-cookie': 'a=b' }), null],
  ['a redirect to what is no address', redirect(() => 'http://['), null],
  ['a redirect to nowhere', (_, response) => void response.writeHead(304).end(), null],
  [
    'a redirect to what does not answer',
    ({ url }, response) =>
      void (url === '/' ? response.writeHead(302, { location: '/x' }).end() : response.destroy()),
    null,
  ],
])('%s', async (_name, answer, expected) => {
  expect(await complaint(answer)).toBe(expected);
});

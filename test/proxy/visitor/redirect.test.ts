import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { proxySchema } from '../../../src/config/proxy-schema.ts';
import { createReadyAnswers } from '../../../src/proxy/fleet/ready-answer.ts';
import { createRedirect, type RedirectParts } from '../../../src/proxy/visitor/redirect.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, get, head } from '../../support/raw-http.ts';

async function startRedirect(httpsPort = 443, parts?: Partial<RedirectParts>): Promise<number> {
  const all = { certificates: null, challenges: { http: () => null }, ready: null, ...parts };
  const server = createRedirect(proxySchema.parse({}), httpsPort, all).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function location(port: number, bytes: string): Promise<string | undefined> {
  const answer = await ask(port, bytes);
  expect(answer.status).toBe(308);
  expect(answer.complete).toBe(true);
  expect(values(answer.fields, 'connection')).toEqual(['close']);
  return values(answer.fields, 'location')[0];
}

test.each([
  ['a page', get('/a/b?c=d'), 'https://site.test/a/b?c=d'],
  ['a path byte for byte', get('//evil.test/%2e%2e/'), 'https://site.test//evil.test/%2e%2e/'],
  ['a host with a port', head('GET /', 'Host: site.test:8080'), 'https://site.test/'],
  ['an IPv6 host', head('GET /', 'Host: [::1]:80'), 'https://[::1]/'],
  ['an absolute target', head('GET http://other.test/x', 'Host: a'), 'https://other.test/x'],
  ['a POST', head('POST /form', 'Host: a', 'Content-Length: 0'), 'https://a/form'],
  ['a WebSocket', get('/s', 'Connection: Upgrade', 'Upgrade: websocket'), 'https://site.test/s'],
  ['OPTIONS *', head('OPTIONS *', 'Host: a'), 'https://a/'],
])('plain HTTP is sent to HTTPS: %s', async (_name, bytes, expected) => {
  expect(await location(await startRedirect(), bytes)).toBe(expected);
});

test('plain HTTP is sent to HTTPS on another port', async () => {
  const port = await startRedirect(4321);
  expect(await location(port, get('/x'))).toBe('https://site.test:4321/x');
  expect(await location(port, head('GET /', 'Host: a:80'))).toBe('https://a:4321/');
});

test.each([
  ['no host', head('GET / HTTP/1.0')],
  ['an empty host', head('GET /', 'Host:')],
  ['a host with a path', head('GET /', 'Host: evil.test/x')],
  ['a host with a name before it', head('GET /', 'Host: site.test@evil.test')],
  ['a host with a space', head('GET /', 'Host: a b')],
  ['a host with markup', head('GET /', 'Host: <script>')],
  ['nonsense', 'nonsense\r\n\r\n'],
])('%s is answered 400', async (_name, bytes) => {
  const answer = await ask(await startRedirect(), bytes);
  expect(answer.status).toBe(400);
  expect(values(answer.fields, 'location')).toEqual([]);
});

test("a CA's question is answered, before and after there is a certificate", async () => {
  for (const isThere of [false, true]) {
    const port = await startRedirect(443, {
      certificates: { has: () => isThere },
      challenges: {
        http: (path) => (path === '/.well-known/acme-challenge/abc' ? 'abc.thumb' : null),
      },
    });
    const answer = await ask(port, get('/.well-known/acme-challenge/abc'));
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(String(answer.body)).toBe('abc.thumb');
    const other = await ask(port, get('/.well-known/acme-challenge/other'));
    expect(other.status).toBe(isThere ? 308 : 503);
  }
});

test('nobody is redirected before the first certificate is there', async () => {
  const parts = { certificates: { has: () => false }, challenges: { http: () => null } };
  const answer = await ask(await startRedirect(443, parts), get('/'));
  expect(answer.status).toBe(503);
  expect(values(answer.fields, 'retry-after')).toEqual(['5']);
  expect(values(answer.fields, 'location')).toEqual([]);
});

test('whether the machine is ready is said and not redirected, where there is a fleet', async () => {
  const facts = {
    active: 'blue' as const,
    fleet: { id: 'one', epoch: 7, release: 'r7', notReady: null },
  };
  const ready = createReadyAnswers({ id: 'one', fenceMs: null }, () => facts);
  const certificates = { has: () => false };
  const port = await startRedirect(443, { certificates, ready });
  for (const host of ['10.0.0.5', 'any.name']) {
    const answer = await ask(port, head('GET /.slots/ready', `Host: ${host}`));
    expect(answer).toMatchObject({ status: 200, complete: true });
    expect(JSON.parse(String(answer.body))).toEqual({ id: 'one', epoch: 7, release: 'r7' });
    expect(values(answer.fields, 'connection')).toEqual(['close']);
  }
  const without = await ask(await startRedirect(), get('/.slots/ready'));
  expect(without.status).toBe(308);
});

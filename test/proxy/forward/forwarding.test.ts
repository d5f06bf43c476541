import { expect, test } from 'vitest';
import { startEcho, startPlane } from '../../support/plane.ts';
import { requestFields, values } from '../../support/raw-answers.ts';
import { get, head, rawClient } from '../../support/raw-http.ts';

/** The forwarding fields that the site got for a request with these fields. */
async function forwarded(trustedProxies: string[], fields: string[], from = '127.0.0.1') {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port, proxy: { trustedProxies } });
  const client = await rawClient(port, { localAddress: from });
  client.send(get('/', ...fields));
  expect((await client.answer()).status).toBe(200);
  const got = requestFields(site.received());
  return (name: string) => values(got, name);
}

const SPOOFED = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.test',
  'x-forwarded-port: 666',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Anything: evil',
  'Forwarded: for=6.6.6.6;host=evil.test',
  'X-Real-IP: 6.6.6.6',
  'X-Request-Id: evil',
];

test('from a peer that is not trusted: nothing that it says about where it comes from reaches the site', async () => {
  const got = await forwarded([], SPOOFED);
  expect(got('x-forwarded-for')).toEqual(['127.0.0.1']);
  expect(got('x-forwarded-proto')).toEqual(['http']);
  expect(got('x-forwarded-host')).toEqual(['site.test']);
  expect(got('x-request-id')).toEqual([expect.stringMatching(/^[0-9a-f]{16}-[0-9a-z]+$/)]);
  for (const name of ['x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-anything']) {
    expect(got(name)).toEqual([]);
  }
  expect(got('forwarded')).toEqual([]);
  expect(got('x-real-ip')).toEqual([]);
});

test('from a peer that is not trusted: it does not help to repeat the fields or to change their case', async () => {
  const got = await forwarded([], ['x-FORWARDED-for: 6.6.6.6', 'X-Forwarded-For: 7.7.7.7']);
  expect(got('x-forwarded-for')).toEqual(['127.0.0.1']);
});

test('from a peer that is not trusted: a request without such fields gets them, and each its own id', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(get('/1') + get('/2'));
  const answers = await client.answers(2);
  const ids = answers.map((answer) => {
    const raw: string[] = JSON.parse(answer.body).rawHeaders;
    return raw[raw.indexOf('X-Request-Id') + 1];
  });
  expect(new Set(ids).size).toBe(2);
});

test('from a peer that is trusted its fields are believed, and ours added to its lists', async () => {
  const got = await forwarded(['loopback'], SPOOFED);
  expect(got('x-forwarded-for')).toEqual(['6.6.6.6, 127.0.0.1']);
  expect(got('x-forwarded-proto')).toEqual(['https']);
  expect(got('x-forwarded-host')).toEqual(['evil.test']);
  expect(got('x-forwarded-port')).toEqual(['666']);
  expect(got('forwarded')).toEqual(['for=6.6.6.6;host=evil.test, for=127.0.0.1']);
  expect(got('x-real-ip')).toEqual(['6.6.6.6']);
  expect(got('x-request-id')).toEqual(['evil']);
});

test('from a peer that is trusted lists in several fields become one, in order', async () => {
  const fields = ['X-Forwarded-For: 1.1.1.1, 2.2.2.2', 'X-Forwarded-For: 3.3.3.3'];
  const got = await forwarded(['loopback'], fields);
  expect(got('x-forwarded-for')).toEqual(['1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1']);
});

test('from a peer that is trusted: an id that is too long is replaced', async () => {
  const got = await forwarded(['loopback'], [`X-Request-Id: ${'a'.repeat(201)}`]);
  expect(got('x-request-id')[0]).toMatch(/^[0-9a-f]{16}-/);
});

test.for([
  ['loopback', '127.0.0.1', true],
  ['loopback', '127.9.9.9', true],
  ['127.0.0.2', '127.0.0.2', true],
  ['127.0.0.2', '127.0.0.3', false],
  ['127.0.0.0/30', '127.0.0.3', true],
  ['127.0.0.0/30', '127.0.0.4', false],
  ['10.0.0.0/8', '127.0.0.1', false],
  ['::1', '127.0.0.1', false],
] as const)(
  'proxy.trustedProxies with %s, a peer at %s is trusted: %s',
  async ([entry, from, trusted]) => {
    const got = await forwarded([entry], ['X-Forwarded-For: 1.2.3.4'], from);
    expect(got('x-forwarded-for')).toEqual([trusted ? `1.2.3.4, ${from}` : from]);
  },
);

test('an absolute target’s authority replaces the Host field, for X-Forwarded-Host too', async () => {
  const site = await startEcho();
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.send(head('GET http://real.test:81/x', 'Host: other.test'));
  expect((await client.answer()).status).toBe(200);
  const got = requestFields(site.received());
  expect(values(got, 'host')).toEqual(['real.test:81']);
  expect(values(got, 'x-forwarded-host')).toEqual(['real.test:81']);
});

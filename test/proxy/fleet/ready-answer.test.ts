import { expect, test } from 'vitest';
import { type PlaneOptions, startEcho, startPlane } from '../../support/plane.ts';
import { ask, get, head, rawClient, watch } from '../../support/raw-http.ts';
import { http2Get, http2Session, makeCertificate, tlsSocket } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const FLEET = { id: 'one', fenceMs: null, monotonic: false };
const STANDING = { id: 'one', epoch: 7, release: 'r7', notReady: null };
const PATH = '/.slots/ready';
const BODY = '{"id":"one","epoch":7,"release":"r7"}\n';

async function machine(options: PlaneOptions = {}) {
  const echo = await startEcho();
  const standing = { blue: echo.port, fleet: FLEET, standing: STANDING };
  const running = await startPlane({ ...standing, cache: {}, ...options });
  return { ...running, echo };
}

/** All that is counted of visitors. */
function counted({ plane }: Awaited<ReturnType<typeof machine>>) {
  const { traffic, refused } = plane.counters;
  return JSON.stringify([traffic, refused, plane.inflight.counts]);
}

test('a machine that is ready answers 200 and who it is, and the site hears nothing of it', async () => {
  const one = await machine();
  const before = counted(one);
  const answer = await ask(one.port, get(PATH));
  expect(answer).toMatchObject({ status: 200, body: BODY });
  const fields = Object.fromEntries(
    answer.fields.map(([name, value]) => [name.toLowerCase(), value]),
  );
  expect(fields).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  expect(fields).not.toHaveProperty('x-slots-release');
  expect((await ask(one.port, get(`${PATH}?from=lb`))).body).toBe(BODY);
  expect(one.echo.received()).toBe('');
  expect(counted(one)).toBe(before);
});

test('a machine that is not ready answers 503 and why', async () => {
  const one = await machine({ standing: { ...STANDING, notReady: 'it serves r6 still' } });
  const { status, body } = await ask(one.port, get(PATH));
  expect({ status, body: JSON.parse(body) }).toEqual({
    status: 503,
    body: { ...STANDING, notReady: undefined, why: 'it serves r6 still' },
  });
  one.assign({ standing: STANDING });
  expect((await ask(one.port, get(PATH))).status).toBe(200);
});

test('a machine without a release answers for itself, and not with the page for visitors', async () => {
  const one = await machine({ active: null });
  const { status, body } = await ask(one.port, get(PATH));
  expect(status).toBe(503);
  expect(JSON.parse(body)).toMatchObject({ id: 'one', why: 'no release is live here yet' });
});

test('a HEAD gets the same without a body, and the connection goes on', async () => {
  const one = await machine();
  const client = await rawClient(one.port);
  client.send(head(`HEAD ${PATH}`, 'Host: a') + get(PATH));
  const text = await client.until(BODY);
  expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
  expect(text.match(/content-length: 38/g)).toHaveLength(2);
  expect(text.split(BODY)).toHaveLength(2);
});

test('what only Node reads is answered too: a body, an absolute target, HTTP/1.0', async () => {
  const one = await machine();
  const withBody = `${head(`GET ${PATH}`, 'Host: a', 'Content-Length: 2')}ab`;
  expect(await ask(one.port, withBody)).toMatchObject({ status: 200, body: BODY });
  const absolute = head(`GET http://blog.example${PATH}`, 'Host: a');
  expect(await ask(one.port, absolute)).toMatchObject({ status: 200, body: BODY });
  const old = await ask(one.port, head(`GET ${PATH} HTTP/1.0`));
  expect(old).toMatchObject({ status: 200, body: BODY });
  expect(one.echo.received()).toBe('');
});

test('another method, or a wish to upgrade, is refused and does not reach the site', async () => {
  const one = await machine();
  const post = `${head(`POST ${PATH}`, 'Host: a', 'Content-Length: 2')}ab`;
  const refused = await ask(one.port, post);
  expect(refused.status).toBe(405);
  expect(refused.fields).toContainEqual(['allow', 'GET, HEAD']);
  const upgrade = head(
    `GET ${PATH}`,
    'Host: a',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  );
  expect((await ask(one.port, upgrade)).status).toBe(400);
  expect(one.echo.received()).toBe('');
});

test('it is answered over TLS and HTTP/2', async () => {
  const one = await machine({ proxy: { tls: await makeCertificate() } });
  const wire = watch(await tlsSocket(one.port));
  wire.send(get(PATH));
  expect(await wire.until(BODY)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  const session = await http2Session(one.port);
  const answer = await http2Get(session, PATH);
  expect([answer.status, String(answer.body)]).toEqual([200, BODY]);
  expect(one.echo.received()).toBe('');
});

test('without a fleet the path is the site’s', async () => {
  const one = await machine({ fleet: undefined });
  expect(JSON.parse((await ask(one.port, get(PATH))).body)).toMatchObject({ url: PATH });
});

test('with a fence a machine whose controller is silent is not ready until it hears it again', async () => {
  const one = await machine({ fleet: { ...FLEET, fenceMs: 200 } });
  expect((await ask(one.port, get(PATH))).status).toBe(200);
  const refused = await until(async () => {
    const answer = await ask(one.port, get(PATH));
    return answer.status === 503 && answer;
  }, 'the fence');
  expect(JSON.parse(refused.body)).toMatchObject({ why: expect.stringMatching(/silent/) });
  one.assign({});
  expect((await ask(one.port, get(PATH))).status).toBe(200);
});

import { readFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import type { FleetStanding } from '../../../src/wire/assignment.ts';
import { freePorts } from '../../support/free-ports.ts';
import { type PlaneOptions, startEcho, startOrigin, startPlane } from '../../support/plane.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, get, head, rawClient } from '../../support/raw-http.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const FLEET = { id: 'one', fenceMs: null, monotonic: true };

function standing(epoch: number, changes: Partial<FleetStanding> = {}): FleetStanding {
  return { id: 'one', epoch, release: `r${epoch}`, notReady: null, newest: epoch, ...changes };
}

/** A machine at this epoch, whose pages say which one it is. */
async function machine(
  epoch: number,
  changes: Partial<FleetStanding> = {},
  options: PlaneOptions = {},
) {
  const origin = await startOrigin((request, response) => {
    response.setHeader('cache-control', 'max-age=60');
    response.setHeader('x-saw', JSON.stringify(request.headers));
    response.end(`page of ${epoch}`);
  });
  const running = await startPlane({
    blue: origin.port,
    fleet: FLEET,
    standing: standing(epoch, changes),
    ...options,
  });
  return { ...running, origin, address: `127.0.0.1:${running.port}` };
}

const seen = (epoch: number) => get('/', `Cookie: slots-epoch=${epoch}; other=1`);

/** The epochs that an answer tells its visitor. */
function told({ fields }: { fields: [string, string][] }): string[] {
  return values(fields, 'set-cookie');
}

test('a visitor is told the epoch once, and the site never sees the cookie', async () => {
  const one = await machine(7);
  const first = await ask(one.port, get());
  expect(told(first)).toEqual(['slots-epoch=7; Path=/; HttpOnly; SameSite=Lax']);
  const next = await ask(one.port, seen(7));
  expect(told(next)).toEqual([]);
  const [saw] = values(next.fields, 'x-saw');
  expect(JSON.parse(saw as string)).toMatchObject({ cookie: 'other=1' });
  expect(told(await ask(one.port, seen(6)))).toEqual([
    'slots-epoch=7; Path=/; HttpOnly; SameSite=Lax',
  ]);
});

test('answers stay in memory, for visitors with the cookie and without it, and each is told what is new to it', async () => {
  const one = await machine(7, {}, { cache: { untilRelease: ['/**'] } });
  const cookie = (epoch: number) => get('/', `Cookie: slots-epoch=${epoch}`);
  await ask(one.port, get());
  for (let round = 0; round < 3; round++) {
    const without = await ask(one.port, get());
    expect(values(without.fields, 'cache-status')[0]).toMatch(/^slots; hit/);
    expect(told(without)).toHaveLength(1);
    const knows = await ask(one.port, cookie(7));
    expect(values(knows.fields, 'cache-status')[0]).toMatch(/^slots; hit/);
    expect(told(knows)).toHaveLength(0);
    expect(told(await ask(one.port, cookie(6)))).toHaveLength(1);
  }
  expect(one.origin.wires).toHaveLength(1);
});

test('a visitor learns of a new epoch though the release, and the bytes that it sends, are as before', async () => {
  const one = await machine(7, {}, { cache: { untilRelease: ['/**'] } });
  for (let i = 0; i < 3; i++) await ask(one.port, get('/', 'Cookie: slots-epoch=7'));
  one.assign({ standing: standing(8) });
  expect(told(await ask(one.port, get('/', 'Cookie: slots-epoch=7')))).toHaveLength(1);
});

test('an answer that shared caches may keep carries no cookie', async () => {
  const origin = await startOrigin((_request, response) => {
    response.setHeader('cache-control', 'public, max-age=31536000, immutable');
    response.end('asset');
  });
  const { port } = await startPlane({ blue: origin.port, fleet: FLEET, standing: standing(7) });
  expect(told(await ask(port, get('/a.js')))).toEqual([]);
});

test('a visitor who has seen the next epoch waits for this machine’s flip, and gets the new page', async () => {
  const one = await machine(7);
  const green = await startOrigin((_request, response) => response.end('page of 8'));
  const both = await startPlane({
    blue: one.origin.port,
    green: green.port,
    fleet: FLEET,
    standing: standing(7, { newest: 8 }),
  });
  const client = await rawClient(both.port);
  client.send(seen(8));
  await until(() => both.plane.busySockets().size === 1, 'the request waits');
  expect(client.text()).toBe('');
  both.assign({ active: 'green', standing: standing(8) });
  expect(await client.until('page of')).toContain('page of 8');
  expect(one.origin.received()).toBe('');
});

test('a machine that stays behind passes the request on, and the answer is that of the other machine', async () => {
  const ahead = await machine(8);
  const late = await machine(7, { newest: 8, peers: [{ address: ahead.address, epoch: 8 }] });
  const answer = await ask(late.port, seen(8));
  expect(answer).toMatchObject({ status: 200, body: 'page of 8' });
  expect(values(answer.fields, 'x-slots-release')).toEqual(['release-blue']);
  expect(late.origin.received()).toBe('');
  const [saw] = values(answer.fields, 'x-saw');
  expect(saw).not.toContain('slots-');
  const missing = await ask(late.port, head('HEAD /', 'Host: a', 'Cookie: slots-epoch=8'));
  expect(missing).toMatchObject({ status: 200, body: '' });
  expect(late.plane.busySockets().size).toBe(0);
});

test('a request is passed on once at most: two machines that are behind end it', async () => {
  const [port = 0] = await freePorts(1);
  const second = await machine(7, {
    newest: 9,
    peers: [{ address: `127.0.0.1:${port}`, epoch: 9 }],
  });
  const first = await machine(6, { newest: 9, peers: [{ address: second.address, epoch: 9 }] });
  expect((await ask(first.port, seen(9))).body).toBe('page of 7');
});

test('a machine that finds no other serves what it has', async () => {
  const [closed = 0] = await freePorts(1);
  const down = await startOrigin((_request, response) => {
    response.statusCode = 503;
    response.end('down');
  });
  for (const port of [closed, down.port]) {
    const peers = [{ address: `127.0.0.1:${port}`, epoch: 8 }];
    const late = await machine(7, { newest: 8, peers });
    const answer = await ask(late.port, seen(8));
    expect(answer).toMatchObject({ status: 200, body: 'page of 7' });
    // It has seen more, and keeps that.
    expect(told(answer)).toEqual([]);
  }
});

test('a forged epoch holds up nobody for long, and is taken back', async () => {
  const other = await machine(7);
  const one = await machine(7, { peers: [{ address: other.address, epoch: 7 }] });
  for (const epoch of [9, 999_999_999]) {
    const answer = await ask(one.port, seen(epoch));
    expect(answer).toMatchObject({ status: 200, body: 'page of 7' });
    expect(told(answer)).toEqual(['slots-epoch=7; Path=/; HttpOnly; SameSite=Lax']);
  }
  expect(other.origin.received()).toBe('');
});

test('a request with a body, or of another method, waits but is not passed on', async () => {
  const ahead = await machine(8);
  const late = await machine(7, { newest: 8, peers: [{ address: ahead.address, epoch: 8 }] });
  const fields = ['Host: a', 'Cookie: slots-epoch=8', 'Content-Length: 2'];
  const answer = await ask(late.port, `${head('POST /', ...fields)}ab`);
  expect(answer).toMatchObject({ status: 200, body: 'page of 7' });
  expect(ahead.origin.received()).toBe('');
});

test('a visitor who leaves while the request waits is forgotten', async () => {
  const late = await machine(7, { newest: 8 });
  const client = await rawClient(late.port);
  client.send(seen(8));
  await until(() => late.plane.busySockets().size === 1, 'the request waits');
  client.socket.destroy();
  await until(() => late.plane.busySockets().size === 0, 'it is forgotten');
  expect(late.origin.received()).toBe('');
});

test('an answer that breaks off at the other machine breaks off here', async () => {
  const broken = await startOrigin((_request, response) => {
    response.setHeader('content-length', '100');
    response.write('half');
    setTimeout(() => response.destroy(), 50);
  });
  const peers = [{ address: `127.0.0.1:${broken.port}`, epoch: 8 }];
  const late = await machine(7, { newest: 8, peers });
  const client = await rawClient(late.port);
  client.send(seen(8));
  await until(() => client.state() !== 'open', 'the connection ends');
  expect(client.text()).toMatch(/half$/);
});

test('over HTTP/2 and TLS it is the same, and the cookie is of TLS', async () => {
  const one = await machine(7, { newest: 8 }, { proxy: { tls: await makeCertificate() } });
  const session = await http2Session(one.port);
  const first = await http2Get(session, '/');
  expect(first.headers['set-cookie']).toEqual([
    'slots-epoch=7; Path=/; HttpOnly; SameSite=Lax; Secure',
  ]);
  const next = await http2Get(session, '/', { cookie: 'slots-epoch=8' });
  expect([next.status, String(next.body)]).toEqual([200, 'page of 7']);
  expect(JSON.parse(String(next.headers['x-saw']))).not.toHaveProperty('cookie');
});

test('over HTTP/2 a machine that stays behind passes on too, to one that has the certificate of the visitor’s host', async () => {
  const tls = await makeCertificate('fleet.test');
  const trusted = getCACertificates();
  onTestFinished(() => setDefaultCACertificates(trusted));
  setDefaultCACertificates([await readFile(tls.cert, 'utf8')]);
  const ahead = await machine(8, {}, { proxy: { tls } });
  const peers = [{ address: ahead.address, epoch: 8 }];
  const late = await machine(7, { newest: 8, peers }, { proxy: { tls } });
  const session = await http2Session(late.port);
  const asked = { ':authority': `fleet.test:${late.port}`, cookie: 'slots-epoch=8' };
  const answer = await http2Get(session, '/', asked);
  expect([answer.status, String(answer.body)]).toEqual([200, 'page of 8']);
  expect(late.origin.received()).toBe('');
});

test('without monotonic the cookie is the site’s business', async () => {
  const echo = await startEcho();
  const fleet = { ...FLEET, monotonic: false };
  const one = await startPlane({ blue: echo.port, fleet, standing: standing(7) });
  const answer = await ask(one.port, seen(9));
  expect(told(answer)).toEqual([]);
  expect(JSON.parse(answer.body).rawHeaders).toContain('slots-epoch=9; other=1');
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startEcho, startOrigin, startPlane } from '../../support/plane.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, get, head, rawClient } from '../../support/raw-http.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { closing, openSocket, startWsSite, upgradeHead } from '../../support/ws-site.ts';

const NOTICE = { message: null, allow: [] };
const OFFICE = { message: null, allow: ['203.0.113.0/24', '2001:db8::/32'] };
const from = (address: string) => `X-Forwarded-For: ${address}`;

/** A page that comes from memory from the second visitor on. */
function startCached() {
  return startOrigin((_request, response) => {
    response.writeHead(200, { 'cache-control': 'public, max-age=60' });
    response.end('page');
  });
}

test('in maintenance every visitor gets a 503 page that says when to come again, and afterwards the site', async () => {
  const site = await startEcho();
  const { port, plane, assign } = await startPlane({ blue: site.port, maintenance: NOTICE });
  const page = await ask(port, get('/', 'Accept: text/html'));
  expect(page).toMatchObject({ status: 503, body: expect.stringContaining('worked on') });
  expect(values(page.fields, 'retry-after')).toEqual(['60']);
  expect(values(page.fields, 'cache-control')).toEqual(['no-store']);
  const json = await ask(port, get('/', 'Accept: application/json'));
  expect(JSON.parse(json.body)).toEqual({
    error: { status: 503, message: expect.stringContaining('worked on') },
  });
  expect(await ask(port, head('HEAD /', 'Host: site.test'))).toMatchObject({
    status: 503,
    body: '',
  });
  const posted = await ask(port, `${head('POST /', 'Host: site.test', 'Content-Length: 4')}body`);
  expect(posted.status).toBe(503);
  expect(site.received()).toBe('');
  expect(plane.counters.refused[5]).toBe(4);
  assign({ maintenance: null });
  expect((await ask(port, get())).status).toBe(200);
});

test('a connection outlives the page, so that the site is seen there afterwards', async () => {
  const site = await startEcho();
  const { port, assign } = await startPlane({ blue: site.port, maintenance: NOTICE });
  const visitor = await rawClient(port);
  visitor.send(get());
  await visitor.answers(1);
  assign({ maintenance: null });
  visitor.send(get());
  const statuses = (await visitor.answers(2)).map(({ status }) => status);
  expect(statuses).toEqual([503, 200]);
});

test('what is in memory, and what is known by its head alone, is not given in maintenance', async () => {
  const site = await startCached();
  const { port, assign } = await startPlane({ blue: site.port, cache: {} });
  const visitor = await rawClient(port);
  const statuses = async (count: number) =>
    (await visitor.answers(count)).map(({ status }) => status);
  for (let count = 1; count <= 4; count++) {
    visitor.send(get('/file'));
    await visitor.answers(count);
  }
  assign({ maintenance: NOTICE });
  visitor.send(get('/file'));
  expect(await statuses(5)).toEqual([200, 200, 200, 200, 503]);
  assign({ maintenance: null });
  visitor.send(get('/file'));
  expect(await statuses(6)).toEqual([200, 200, 200, 200, 503, 200]);
  expect(values((await visitor.answers(6))[5]?.fields ?? [], 'cache-status')).toEqual([
    expect.stringContaining('hit'),
  ]);
});

test('who is allowed sees the site, by the address that a trusted proxy names', async () => {
  const site = await startCached();
  const { port } = await startPlane({ blue: site.port, cache: {}, maintenance: OFFICE });
  const seen = async (...fields: string[]) => (await ask(port, get('/', ...fields))).status;
  expect(await seen(from('203.0.113.9'))).toBe(200);
  expect(await seen(from('2001:db8::9'))).toBe(200);
  expect(await seen(from('198.51.100.9'))).toBe(503);
  // What a visitor has claimed before the proxy has added the true address.
  expect(await seen(from('203.0.113.9, 198.51.100.9'))).toBe(503);
  expect(await seen()).toBe(503);
  expect(await seen(from('203.0.113.9'))).toBe(200);
});

test('who comes without a proxy is known by the own address, and its word is worth nothing', async () => {
  const site = await startEcho();
  const proxy = { trustedProxies: [] };
  const { port, assign } = await startPlane({ proxy, blue: site.port, maintenance: OFFICE });
  expect((await ask(port, get('/', from('203.0.113.9')))).status).toBe(503);
  assign({ maintenance: { message: null, allow: ['loopback'] } });
  expect((await ask(port, get('/', from('198.51.100.9')))).status).toBe(200);
});

test('an entry that is no address, as in a state file edited by hand, allows nobody and ends nothing', async () => {
  const site = await startEcho();
  const maintenance = { message: null, allow: ['nonsense', '203.0.113.9'] };
  const { port } = await startPlane({ blue: site.port, maintenance });
  expect((await ask(port, get('/', from('198.51.100.9')))).status).toBe(503);
  expect((await ask(port, get('/', from('203.0.113.9')))).status).toBe(200);
});

test('the message is shown as text, whatever is in it', async () => {
  const message = 'Back at <b>noon</b> & no sooner.';
  const { port } = await startPlane({ maintenance: { message, allow: [] } });
  const page = await ask(port, get('/', 'Accept: text/html'));
  expect(page.body).toContain('<p>Back at &lt;b&gt;noon&lt;/b&gt; &amp; no sooner.</p>');
  const json = await ask(port, get('/', 'Accept: application/json'));
  expect(JSON.parse(json.body).error.message).toBe(message);
});

test("the site's own maintenance.html replaces the page, and its 503.html does not", async () => {
  const folder = await tempFolder();
  await writeFile(join(folder, '503.html'), 'own 503');
  const start = () => startPlane({ proxy: { errorPages: folder }, maintenance: NOTICE });
  const before = await start();
  const ours = await ask(before.port, get('/', 'Accept: text/html'));
  expect(ours.body).toContain('worked on');
  await writeFile(join(folder, 'maintenance.html'), 'own page');
  const after = await start();
  expect((await ask(after.port, get('/', 'Accept: text/html'))).body).toBe('own page');
});

test('over HTTP/2 the page is the same', async () => {
  const tls = await makeCertificate();
  const { port } = await startPlane({ proxy: { tls }, maintenance: NOTICE });
  const answer = await http2Get(await http2Session(port), '/');
  expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '60' } });
});

test('a WebSocket that is open stays so, and a new one is refused', async () => {
  const site = await startWsSite();
  const { port, assign } = await startPlane({ blue: site.port });
  const open = await openSocket(port);
  assign({ maintenance: NOTICE });
  const echoed = new Promise((resolve) => open.once('message', (data) => resolve(String(data))));
  open.send('still here');
  expect(await echoed).toBe('still here');
  expect((await ask(port, upgradeHead())).status).toBe(503);
  const closed = closing(open);
  open.close(1000);
  expect((await closed)[0]).toBe(1000);
});

test('a load balancer is told that the machine is ready, so that visitors get the page and not its own', async () => {
  const fleet = { id: 'one', fenceMs: null, monotonic: false };
  const standing = { id: 'one', epoch: 7, release: 'r7', notReady: null };
  const { port } = await startPlane({ fleet, standing, maintenance: NOTICE });
  expect((await ask(port, get('/.slots/ready'))).status).toBe(200);
  expect((await ask(port, get('/'))).status).toBe(503);
});

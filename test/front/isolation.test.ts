/** What one site's trouble does to another one on the same worker: nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { frontSchema } from '../../src/config/front.ts';
import { type RegisteredSite, readRegistrations } from '../../src/config/registered-site.ts';
import { openSite } from '../../src/front/site.ts';
import { workerStatus } from '../../src/front/status.ts';
import { collectedLog } from '../support/collected-log.ts';
import { frontWorker } from '../support/front-worker.ts';
import { ask, head, rawClient } from '../support/raw-http.ts';
import { makeCertificate } from '../support/tls.ts';
import { until } from '../support/until.ts';

const getOf = (host: string, path = '/') => head(`GET ${path} HTTP/1.1`, `Host: ${host}`);
const calm = (port: number) => ask(port, getOf('calm.test'));

async function flood(port: number, count: number, bytes: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let i = 0; i < count; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    sockets.push(socket);
  }
  return sockets;
}

test("a flood of connections on one site's host takes no place of another site's share", async () => {
  const front = await frontWorker({ limits: { connections: 40 } });
  await front.site({ name: 'calm', hosts: ['calm.test'] });
  await front.site({ name: 'busy', hosts: ['busy.test'] });
  await flood(front.http, 200, getOf('busy.test'));
  const status = (name: string) => {
    const { sites } = workerStatus(front.sites, front.door);
    return sites.find((site) => site.name === name);
  };
  // Its share of 10, and the 20 that are nobody's.
  await until(() => status('busy')?.overLimit === 170, 'the flood to be turned away');
  expect(status('busy')?.connections).toBe(30);
  const kept = await Promise.all(Array.from({ length: 10 }, () => rawClient(front.http)));
  for (const client of kept) {
    client.send(getOf('calm.test'));
    expect((await client.answer()).status).toBe(200);
  }
  expect(status('calm')).toMatchObject({ connections: 10, overLimit: 0, requests: 10, errors: 0 });
});

test('connections that never say their host do not keep new ones out', async () => {
  const front = await frontWorker({ limits: { undecided: 20, headersTimeoutMs: 600_000 } });
  await front.site({ name: 'calm', hosts: ['calm.test'] });
  const silent = await flood(front.http, 100, 'GET /');
  await until(() => silent.filter(({ destroyed }) => destroyed).length >= 80, 'the oldest to go');
  expect(front.door.undecided.count()).toBeLessThanOrEqual(20);
  expect((await calm(front.http)).status).toBe(200);
});

test("one site's full queue answers 503 to its own visitors only", async () => {
  const front = await frontWorker();
  await front.site({ name: 'calm', hosts: ['calm.test'] });
  const limits = { inflightPerSlot: 2, queuedPerSlot: 2, queueTimeoutMs: 30_000 };
  await front.site(
    { name: 'stuck', hosts: ['stuck.test'], proxy: { limits, trustedProxies: [] } },
    () => {},
  );
  const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(front.http)));
  for (const [i, client] of clients.entries()) client.send(getOf('stuck.test', `/${i}`));
  await until(
    () => clients.filter((client) => client.text().includes(' 503 ')).length === 6,
    '503',
  );
  for (let i = 0; i < 20; i++) expect((await calm(front.http)).status).toBe(200);
});

test('a bad config, a broken file and a dead slot of others leave a site served, and are said', async () => {
  const front = await frontWorker();
  await front.site({ name: 'calm', hosts: ['calm.test'] });
  writeFileSync(join(front.home.sites, 'broken.json'), '{"root": "/tmp", "hosts": [');
  const dead = await front.site({ name: 'dead', hosts: ['dead.test'] }, (request) =>
    request.socket.destroy(),
  );
  dead.register({ name: 'bad', hosts: ['bad.test'], proxy: { trustedProxies: ['192.0.2.7'] } });
  const file = join(front.home.sites, 'bad.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('192.0.2.7', '192.0.2.777'));
  await until(() => front.sites.refused().length === 2, 'both to be refused');
  const refused = Object.fromEntries(front.sites.refused().map(({ name, why }) => [name, why]));
  expect(refused.bad).toContain('an IP address, a CIDR block');
  expect(refused.broken).toContain('JSON');
  expect((await ask(front.http, getOf('dead.test'))).status).toBe(502);
  for (let i = 0; i < 10; i++) expect((await calm(front.http)).status).toBe(200);
  expect((await ask(front.http, getOf('bad.test'))).status).toBe(404);
});

test('a registration that turns unreadable takes no site away', async () => {
  const front = await frontWorker();
  await front.site({ name: 'calm', hosts: ['calm.test'] });
  writeFileSync(join(front.home.sites, 'calm.json'), '');
  await until(() => front.sites.refused().length === 1, 'it to be noticed');
  expect((await calm(front.http)).status).toBe(200);
});

test('a scan of a thousand names is answered at the door, and leaves nothing behind', async () => {
  const front = await frontWorker();
  await front.site({ name: 'calm', hosts: ['calm.test'] });
  for (let i = 0; i < 1000; i += 50) {
    const names = Array.from({ length: 50 }, (_, n) => `n${i + n}.test`);
    const answers = await Promise.all(names.map((name) => ask(front.http, getOf(name))));
    expect(answers.every(({ status }) => status === 404)).toBe(true);
  }
  const { unknownHost, undecided, sites } = workerStatus(front.sites, front.door);
  expect({ unknownHost, undecided }).toEqual({ unknownHost: 1000, undecided: 0 });
  expect(sites[0]).toMatchObject({ requests: 0, connections: 0 });
});

test('a site that cannot be taken up leaves no timer behind, however often it is tried', async () => {
  const front = await frontWorker();
  const first = await front.site({ name: 'calm', hosts: ['calm.test'] });
  const tls = await makeCertificate('bad.test');
  first.register({ name: 'bad', hosts: ['bad.test'], proxy: { tls } });
  const [registration] = readRegistrations(front.home).filter(({ name }) => name === 'bad');
  const around = { number: 0, config: frontSchema.parse({}), log: collectedLog().log };
  const hosts = { find: () => null, revision: () => 0 };
  const site = registration?.site as RegisteredSite;
  site.config.proxy.trustedProxies = ['nonsense'];
  const open = () =>
    openSite(site, {
      ...around,
      hosts,
      busySockets: () => new Set(),
    });
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  for (let i = 0; i < 20; i++) await expect(open()).rejects.toThrow('nonsense');
  expect(timers() - before).toBeLessThan(20);
});

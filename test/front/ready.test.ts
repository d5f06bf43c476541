import { expect, test } from 'vitest';
import { frontWorker } from '../support/front-worker.ts';
import { ask, head } from '../support/raw-http.ts';
import { http2Get, http2Session, makeCertificate } from '../support/tls.ts';
import { until } from '../support/until.ts';

const PATH = '/.slots/ready';
const askFor = (host: string, method = 'GET') => head(`${method} ${PATH}`, `Host: ${host}`);
const FLEET = { servers: ['nats://127.0.0.1:4222'], group: 'g', id: 'one' };
const standing = (notReady: string | null) => ({ id: 'one', epoch: 7, release: 'r7', notReady });

/** A site alone, and two of a fleet that their controllers say is well. */
async function machine() {
  const front = await frontWorker();
  await front.site({ name: 'alone', hosts: ['alone.test'] });
  const [one, two] = [
    await front.site({ name: 'one', hosts: ['one.test'], fleet: FLEET }),
    await front.site({ name: 'two', hosts: ['two.test'], fleet: { ...FLEET, group: 'h' } }),
  ];
  return { front, one, two };
}

test('a load balancer asks a front by an address or any name whether all its sites of a fleet are ready', async () => {
  const { front, one, two } = await machine();
  for (const host of ['10.0.0.5', 'lb.internal']) {
    const answer = await ask(front.http, askFor(host));
    expect(answer).toMatchObject({ status: 503, body: '{"ready":false}\n', complete: true });
  }
  await one.control({ fleet: standing(null) });
  await two.control({ fleet: standing(null) });
  const isReady = async () => (await ask(front.http, askFor('10.0.0.5'))).status === 200;
  await until(isReady, 'the machine to be ready');
  const told = await ask(front.http, askFor('10.0.0.5'));
  expect(told.body).toBe('{"ready":true}\n');
  expect((await ask(front.http, askFor('10.0.0.5', 'HEAD'))).body).toBe('');
  expect(front.door.unknownHost()).toBe(0);
  const named = await ask(front.http, askFor('one.test'));
  expect(JSON.parse(String(named.body))).toEqual({ id: 'one', epoch: 7, release: 'r7' });
});

test('a front without a fleet says of that question what it says of any unknown host', async () => {
  const front = await frontWorker();
  await front.site({ name: 'alone', hosts: ['alone.test'] });
  expect((await ask(front.http, askFor('10.0.0.5'))).status).toBe(404);
  expect(front.door.unknownHost()).toBe(1);
});

test('over TLS the site of the certificate says whether it is ready, by whatever name it is asked', async () => {
  const front = await frontWorker();
  const tls = { ...(await makeCertificate('one.test')), canonicalHost: 'one.test' };
  await front.site({ name: 'one', hosts: ['one.test'], fleet: FLEET, proxy: { tls } });
  await front.site({ name: 'two', hosts: ['two.test'] });
  const session = await http2Session(front.https, { servername: 'one.test' });
  for (const authority of ['10.0.0.5', 'lb.internal', 'one.test']) {
    const answer = await http2Get(session, PATH, { ':authority': authority });
    expect(JSON.parse(String(answer.body))).toMatchObject({ id: 'one', why: expect.any(String) });
  }
  expect(await http2Get(session, '/', { ':authority': 'lb.internal' })).toMatchObject({
    status: 421,
  });
  expect(await http2Get(session, PATH, { ':authority': 'two.test' })).toMatchObject({
    status: 421,
  });
  const plain = await ask(front.http, askFor('one.test'));
  expect(plain.status).toBe(503);
});

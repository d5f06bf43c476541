import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { SecureVersion, TLSSocket } from 'node:tls';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { frontWorker } from '../support/front-worker.ts';
import { values } from '../support/raw-answers.ts';
import { ask, head, rawClient } from '../support/raw-http.ts';
import { putFile } from '../support/temp-site.ts';
import { http2Get, http2Request, http2Session, makeCertificate } from '../support/tls.ts';
import { until } from '../support/until.ts';

const getOf = (host: string, ...fields: string[]) =>
  head('GET / HTTP/1.1', `Host: ${host}`, ...fields);

async function handshake(
  port: number,
  servername: string,
  ALPNProtocols = ['http/1.1'],
  maxVersion: SecureVersion = 'TLSv1.3',
) {
  const socket = connectTls({
    port,
    servername,
    ALPNProtocols,
    maxVersion,
    host: '127.0.0.1',
    rejectUnauthorized: false,
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

const nameOf = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN;

/** A front with TLS for both sites, each with a certificate of its own name. */
async function twoTlsSites() {
  const front = await frontWorker();
  const [one, two] = await Promise.all([makeCertificate('one.test'), makeCertificate('two.test')]);
  await front.site({ name: 'one', hosts: ['one.test', '*.one.test'], proxy: { tls: one } });
  await front.site({ name: 'two', hosts: ['two.test'], proxy: { tls: two } });
  return { front, one, two };
}

test('the name in the handshake chooses the certificate and the site, over HTTP/1.1 and HTTP/2', async () => {
  const { front } = await twoTlsSites();
  for (const [name, site] of [
    ['one.test', 'one'],
    ['a.one.test', 'one'],
    ['TWO.test', 'two'],
  ] as const) {
    const socket = await handshake(front.https, name);
    expect(nameOf(socket)).toBe(`${site}.test`);
    socket.write(getOf(name));
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(new RegExp(`^HTTP/1.1 200 [^]*\r\n\r\n${site}\n$`));
  }
  const session = await http2Session(front.https, { servername: 'two.test' });
  const answer = await http2Get(session, '/', { ':authority': 'two.test' });
  expect(String(answer.body)).toBe('two\n');
});

test("over TLS a request for another site's host is answered 421, and the connection goes on", async () => {
  const { front } = await twoTlsSites();
  const session = await http2Session(front.https, { servername: 'one.test' });
  expect(await http2Get(session, '/', { ':authority': 'two.test' })).toMatchObject({ status: 421 });
  const post = { ':path': '/', ':method': 'POST', ':authority': 'two.test' };
  expect(await http2Request(session, post, (stream) => stream.end('x'))).toMatchObject({
    status: 421,
  });
  expect(await http2Get(session, '/', { ':authority': 'no.test' })).toMatchObject({ status: 421 });
  expect(await http2Get(session, '/', { ':authority': 'b.one.test' })).toMatchObject({
    status: 200,
  });

  const socket = await handshake(front.https, 'one.test');
  const received: string[] = [];
  socket.on('data', (bytes) => received.push(String(bytes)));
  socket.write(getOf('two.test') + getOf('one.test'));
  await until(() => received.join('').endsWith('one\n'), 'both answers');
  expect(received.join('').match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 421', 'HTTP/1.1 200']);
});

test('a handshake for a host of no site, or for none, is refused and shows no certificate', async () => {
  const { front } = await twoTlsSites();
  for (const servername of ['else.test', '']) {
    const socket = connectTls({
      port: front.https,
      servername,
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toMatch(/ALERT|ECONNRESET/);
    expect(socket.getPeerCertificate()?.subject).toBeUndefined();
  }
});

test('plain HTTP of a site with TLS is redirected to HTTPS', async () => {
  const { front } = await twoTlsSites();
  const answer = await ask(front.http, getOf('one.test:80'));
  expect(answer.status).toBe(308);
  expect(answer.fields).toContainEqual(['location', 'https://one.test/']);
});

test('a new certificate is in use without an open connection ending, and a missing one is taken when it comes', async () => {
  const { front, one } = await twoTlsSites();
  const before = await handshake(front.https, 'one.test');
  const fresh = await makeCertificate('fresh.test');
  await copyFile(fresh.cert, one.cert);
  await copyFile(fresh.key, one.key);
  await until(
    async () => nameOf(await handshake(front.https, 'one.test')) === 'fresh.test',
    'it',
    20_000,
  );
  before.write(getOf('one.test'));
  const [kept] = await once(before, 'data');
  expect(String(kept)).toContain('one\n');

  const files = { cert: `${one.cert}.later`, key: `${one.key}.later` };
  await front.site({ name: 'late', hosts: ['late.test'], proxy: { tls: files } });
  await expect(handshake(front.https, 'late.test')).rejects.toThrow();
  await copyFile(fresh.key, files.key);
  await copyFile(fresh.cert, files.cert);
  const name = async () => nameOf(await handshake(front.https, 'late.test'));
  await until(async () => (await name().catch(() => '')) === 'fresh.test', 'the late one', 20_000);
});

test('a host of no site gets a 404 that names nothing and ends the connection', async () => {
  const front = await frontWorker();
  await front.site({ name: 'shop', hosts: ['shop.test'] });
  for (const method of ['GET', 'HEAD', 'POST']) {
    const client = await rawClient(front.http);
    client.send(head(`${method} / HTTP/1.1`, 'Host: else.test', 'Content-Length: 0'));
    await client.untilGone();
    expect(client.text()).toMatch(/^HTTP\/1.1 404 /);
    expect(client.text()).not.toMatch(/shop|slots/i);
    if (method === 'HEAD') expect(client.text().endsWith('\r\n\r\n')).toBe(true);
  }
  expect(front.door.unknownHost()).toBe(3);
});

test('one plain connection brings requests for several sites, of every kind', async () => {
  const front = await frontWorker();
  await front.site({ name: 'one', hosts: ['one.test'] });
  await front.site({ name: 'two', hosts: ['two.test'] });
  const client = await rawClient(front.http);
  const post = (host: string) =>
    head('POST / HTTP/1.1', `Host: ${host}`, 'Content-Length: 1').concat('x');
  client.send(
    getOf('one.test') + getOf('two.test') + post('one.test') + post('two.test') + getOf('one.test'),
  );
  client.send(getOf('no.test', 'Connection: close'));
  await client.untilGone();
  expect(client.text().match(/^(one|two)$/gm)).toEqual(['one', 'two', 'one', 'two', 'one']);
  expect(
    client
      .text()
      .match(/HTTP\/1.1 \d+/g)
      ?.at(-1),
  ).toBe('HTTP/1.1 404');
});

test('what is no request, and a head that does not come, end their own connection only', async () => {
  const front = await frontWorker({ limits: { headersTimeoutMs: 300, idleTimeoutMs: 300 } });
  await front.site({ name: 'one', hosts: ['one.test'] });
  const bad = await rawClient(front.http);
  bad.send('hello\r\n\r\n');
  await bad.untilGone();
  expect(bad.text()).toMatch(/^HTTP\/1.1 400 /);
  for (const begin of ['', 'GET / HT']) {
    const slow = connect(front.http, '127.0.0.1');
    slow.on('error', () => {});
    slow.write(begin);
    await once(slow, 'close');
  }
  expect((await ask(front.http, getOf('one.test'))).status).toBe(200);
});

test("a site that is taken out answers what it has begun, and its host is nobody's at once", async () => {
  const front = await frontWorker();
  let answer = () => {};
  const site = await front.site({ name: 'one', hosts: ['one.test'] }, (request, response) => {
    if (request.url === '/slow') answer = () => response.end('slow\n');
    else response.end('one\n');
  });
  const busy = await rawClient(front.http);
  busy.send(head('GET /slow HTTP/1.1', 'Host: one.test'));
  await until(() => answer.toString() !== '() => {}', 'the slow request');
  await site.remove();
  expect((await ask(front.http, getOf('one.test'))).status).toBe(404);
  answer();
  await until(() => busy.text().includes('slow\n'), 'the slow answer');
});

test('a site under other hosts keeps its connections', async () => {
  const front = await frontWorker();
  const site = await front.site({ name: 'one', hosts: ['old.test', 'both.test'] });
  const client = await rawClient(front.http);
  client.send(getOf('both.test'));
  await until(() => client.text().includes('one\n'), 'the first answer');
  site.register({ name: 'one', hosts: ['both.test', 'new.test'] });
  await until(
    async () => (await ask(front.http, getOf('new.test'))).status === 200,
    'the new host',
  );
  client.send(getOf('both.test') + getOf('old.test'));
  await until(() => client.text().match(/HTTP/g)?.length === 3, 'three answers');
  expect(
    client
      .text()
      .match(/HTTP\/1.1 \d+/g)
      ?.slice(1),
  ).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404']);
});

test('a host that a new site takes from the wildcard of another is answered by the new one on connections that stand, too', async () => {
  const front = await frontWorker();
  await front.site({ name: 'all', hosts: ['*.test'] }, (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=600');
    response.end('all\n');
  });
  const client = await rawClient(front.http);
  const answers = () => client.text().match(/^(all|own)$/gm) ?? [];
  for (let asked = 1; asked <= 3; asked++) {
    client.send(getOf('own.test'));
    await until(() => answers().length === asked, 'an answer');
  }
  expect(client.text()).toContain('slots; hit');
  await front.site({ name: 'own', hosts: ['own.test'] });
  client.send(getOf('own.test'));
  await until(() => answers().length === 4, 'the last answer');
  expect(answers().at(-1)).toBe('own');
});

const ACME = { email: 'me@example.com', agreeTos: true as const };

test("a site's ordered certificates are taken as they come, and until then port 80 redirects nobody", async () => {
  const front = await frontWorker();
  const tls = { acme: { ...ACME, hosts: ['one.test', 'www.one.test'] } };
  const hosts = ['one.test', '*.one.test'];
  const site = await front.site({ name: 'one', hosts, proxy: { tls } });
  expect(nameOf(await handshake(front.https, 'one.test'))).toBe('slots: no certificate yet');
  expect((await ask(front.http, getOf('one.test'))).status).toBe(503);
  const { cert, key } = await makeCertificate('www.one.test');
  const both = (await Promise.all([cert, key].map((file) => readFile(file, 'utf8')))).join('\n');
  await putFile(site.root, 'slots/certs/www.one.test.pem', both);
  const name = async () => nameOf(await handshake(front.https, 'www.one.test'));
  await until(async () => (await name()) === 'www.one.test', 'the certificate', 20_000);
  expect((await ask(front.http, getOf('www.one.test'))).status).toBe(308);
});

test("a CA's questions are answered on both ports, for the site that it asks about", async () => {
  const front = await frontWorker();
  const { cert, key } = await makeCertificate('challenge');
  const [certPem, keyPem] = await Promise.all([cert, key].map((file) => readFile(file, 'utf8')));
  for (const name of ['one', 'two']) {
    const host = `${name}.test`;
    const tls = { acme: { ...ACME, hosts: [host] } };
    const site = await front.site({ name, hosts: [host], proxy: { tls } });
    if (name === 'two') continue;
    await site.control({
      challenges: [
        { type: 'http-01', host, token: 'abc', answer: 'abc.print' },
        { type: 'tls-alpn-01', host, cert: certPem as string, key: keyPem as string },
      ],
    });
  }
  const question = (host: string) =>
    ask(front.http, head('GET /.well-known/acme-challenge/abc HTTP/1.1', `Host: ${host}`));
  await until(async () => (await question('one.test')).status === 200, 'the answer');
  expect((await question('one.test')).body).toBe('abc.print');
  expect((await question('two.test')).status).toBe(503);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const answer = await handshake(front.https, 'one.test', ['acme-tls/1'], version);
    expect(answer.alpnProtocol).toBe('acme-tls/1');
    expect(nameOf(answer), version).toBe('challenge');
  }
  await expect(handshake(front.https, 'two.test', ['acme-tls/1'])).rejects.toThrow();
});

test('a visitor who leaves before the host is told is forgotten at once', async () => {
  const front = await frontWorker({
    limits: { idleTimeoutMs: 600_000, headersTimeoutMs: 600_000 },
  });
  await front.site({ name: 'one', hosts: ['one.test'] });
  for (const sent of ['', 'GET / HTTP/1.1\r\nHo']) {
    const client = await rawClient(front.http);
    client.send(sent);
    await until(() => front.door.undecided.count() === 1, 'the connection');
    client.socket.end();
    await until(() => front.door.undecided.count() === 0, 'its end');
  }
});

test('first requests that come in pieces, those of many visitors in turn, reach their sites whole', async () => {
  const front = await frontWorker();
  await front.site({ name: 'one', hosts: ['one.test'] });
  await front.site({
    name: 'two',
    hosts: ['two.test'],
    proxy: { tls: await makeCertificate('two.test') },
  });
  const visitors = await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      const host = n % 2 === 0 ? 'one.test' : 'two.test';
      const text = head(`GET /page-${n} HTTP/1.1`, `Host: ${host}`);
      return { host, n, text, client: await rawClient(front.http) };
    }),
  );
  for (let from = 0; from < 60; from += 7) {
    for (const { client, text } of visitors) client.send(text.slice(from, from + 7));
    await new Promise(setImmediate);
  }
  for (const { client, text } of visitors) client.send(text.slice(63));
  for (const { client, host, n } of visitors) {
    const answer = await client.answer();
    if (host === 'one.test') expect(answer.body).toBe('one\n');
    else expect(values(answer.fields, 'location')).toEqual([expect.stringContaining(`/page-${n}`)]);
  }
});

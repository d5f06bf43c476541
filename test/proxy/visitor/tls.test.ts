import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { get, head, rawClient, watch } from '../../support/raw-http.ts';
import { http2Session, makeCertificate, tlsSocket } from '../../support/tls.ts';
import { until } from '../../support/until.ts';
import { openSocket, startWsSite } from '../../support/ws-site.ts';

async function startSecure(options: PlaneOptions) {
  const tls = await makeCertificate();
  return startPlane({ ...options, proxy: { ...options.proxy, tls } });
}

describe('HTTP/1.1 over TLS', () => {
  test('is answered, and the site learns of it', async () => {
    const site = await startOrigin((asked, response) => {
      response.end(asked.headers['x-forwarded-proto']);
    });
    const { port } = await startSecure({ blue: site.port });
    const socket = await tlsSocket(port);
    const wire = watch(socket);
    wire.send(get());
    expect(await wire.until('https')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    wire.send(get());
    await wire.until((text) => text.split('HTTP/1.1 200 OK').length === 3);
  });

  test('is spoken with a visitor who knows no ALPN', async () => {
    const site = await startOrigin((_request, response) => response.end('page'));
    const { port } = await startSecure({ blue: site.port });
    const wire = watch(await tlsSocket(port, []));
    wire.send(get());
    expect(await wire.until('page')).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('carries an upload and a large download', async () => {
    const large = 'x'.repeat(8 * 1024 * 1024);
    const site = await startOrigin((asked, response) => void asked.pipe(response));
    const { port } = await startSecure({ blue: site.port });
    const agent = new Agent({ rejectUnauthorized: false });
    onTestFinished(() => agent.destroy());
    const outgoing = request({ port, host: '127.0.0.1', agent, method: 'POST' });
    outgoing.end(large);
    const [response] = await once(outgoing, 'response');
    let body = '';
    for await (const piece of response) body += piece;
    expect(body === large).toBe(true);
  });

  test('carries a WebSocket', async () => {
    const site = await startWsSite();
    const { port, plane } = await startSecure({ blue: site.port });
    const socket = await openSocket(port, '/live', { secure: true });
    socket.send('hello');
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    expect(site.requests[0]?.headers['x-forwarded-proto']).toBe('https');
    const closed = once(socket, 'close');
    plane.cut('blue');
    expect((await closed)[0]).toBe(1001);
    await until(() => plane.upgrades.count() === 0, 'nothing left');
  });

  test('has the limits of plain HTTP', async () => {
    const site = await startOrigin((_request, response) => response.end('page'));
    const limits = { headersTimeoutMs: 300, headerCount: 5, headerBytes: 2000 };
    const { port } = await startSecure({ blue: site.port, proxy: { limits } });
    const send = async (bytes: string) => {
      const wire = watch(await tlsSocket(port));
      wire.send(bytes);
      return wire.until('\r\n\r\n');
    };
    expect(await send('GET / HTTP/1.1\r\nHost')).toMatch(/^HTTP\/1\.1 408 /);
    expect(await send(get('/', ...Array(9).fill('X-A: 1')))).toMatch(/^HTTP\/1\.1 431 /);
    expect(await send(get('/', `X-A: ${'a'.repeat(3000)}`))).toMatch(/^HTTP\/1\.1 431 /);
    expect(await send('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await send(head('CONNECT a:443', 'Host: a'))).toMatch(/^HTTP\/1\.1 400 /);
    expect(await send(head('GET /', 'Host: a', 'Upgrade: h2c', 'Connection: Upgrade'))).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});

describe('what is no TLS', () => {
  test.each([
    ['plain HTTP', get()],
    ['nonsense', 'x'.repeat(5000)],
    ['nothing', ''],
  ])('%s ends its connection, and the worker lives on', async (_name, bytes) => {
    const site = await startOrigin((_request, response) => response.end('page'));
    const proxy = { keepAliveTimeoutMs: 300, limits: { headersTimeoutMs: 300 } };
    const { port } = await startSecure({ blue: site.port, proxy });
    const client = await rawClient(port);
    if (bytes !== '') client.send(bytes);
    await client.untilGone();
    expect(client.text()).not.toContain('HTTP/');
    const wire = watch(await tlsSocket(port));
    wire.send(get());
    await wire.until('page');
  });

  test('an old TLS version is refused', async () => {
    const { port } = await startSecure({});
    // At security level 0 Node's own OpenSSL offers it, so that it is the server that refuses.
    const old = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    onTestFinished(() => void old.destroy());
    const [error] = await once(old, 'error');
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
  });
});

test('one connection speaks HTTP/2 and another HTTP/1.1, as each asks for', async () => {
  const site = await startOrigin((_request, response) => response.end('page'));
  const { port } = await startSecure({ blue: site.port });
  expect((await http2Session(port)).alpnProtocol).toBe('h2');
  expect((await tlsSocket(port, ['http/1.1'])).alpnProtocol).toBe('http/1.1');
  expect((await tlsSocket(port, ['h2', 'http/1.1'])).alpnProtocol).toBe('h2');
});

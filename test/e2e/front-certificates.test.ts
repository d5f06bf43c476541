import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { testFront } from '../support/front.ts';
import { skipFor } from '../support/needs.ts';
import { lackingPebble, startPebble } from '../support/pebble.ts';
import { until } from '../support/until.ts';

/** The issuer of the certificate that a visitor of this host is shown; `null` when there is no handshake. */
function shownIssuer(port: number, servername: string): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, servername, rejectUnauthorized: false };
    const socket = connect(options, () => {
      const { issuer } = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(issuer.CN));
    });
    socket.on('error', () => resolve(null));
  });
}

test('a site behind the front gets its certificate by the port for plain HTTP that all sites share', async ({
  skip,
}) => {
  skipFor(skip, lackingPebble());
  const front = await testFront();
  const { http, https } = front.ports;
  const pebble = await startPebble({ httpPort: http, tlsPort: https });
  const plain = await front.site({ hosts: ['plain.example'] });
  const acme = {
    email: 'me@example.com',
    agreeTos: true as const,
    hosts: ['blog.example'],
    directory: pebble.directory,
  };
  const blog = await front.site({ hosts: ['blog.example'], proxy: { tls: { acme } } });
  blog.env.NODE_EXTRA_CA_CERTS = pebble.root;
  for (const site of [plain, blog]) {
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  }
  await until(
    async () => (await shownIssuer(https, 'blog.example'))?.includes('Pebble'),
    'a visitor to be shown the certificate',
    60_000,
  );
  const redirected = await front.get('blog.example', '/page');
  expect(redirected.status).toBe(308);
  expect(redirected.headers.location).toBe(`https://blog.example:${https}/page`);
  const secure = await front.get('blog.example', '/', { servername: 'blog.example' });
  expect(secure.status).toBe(200);
  expect((await front.get('plain.example')).status).toBe(200);
  expect(await shownIssuer(https, 'plain.example')).toBeNull();
  const [listed] = JSON.parse((await blog.slots('certs', '--json')).stdout);
  expect(listed).toMatchObject({ hosts: ['blog.example'], state: 'valid', lastError: null });
});

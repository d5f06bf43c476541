import { expect, test } from 'vitest';
import { testFront } from '../support/front.ts';
import { skipFor } from '../support/needs.ts';
import { lackingPebble, startPebble } from '../support/pebble.ts';
import { shownCertificate } from '../support/shown-certificate.ts';
import { until } from '../support/until.ts';

test('a site behind the front gets its certificate by the port for plain HTTP that all sites share', async ({
  skip,
}) => {
  skipFor(skip, lackingPebble());
  const front = await testFront();
  const { http, https } = front.ports;
  const pebble = await startPebble({ httpPort: http, tlsPort: https });
  const issuer = (host: string) =>
    shownCertificate(https, host).then(
      (shown) => shown.issuer,
      () => null,
    );
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
    async () => (await issuer('blog.example'))?.includes('Pebble'),
    'a visitor to be shown the certificate',
    60_000,
  );
  // Each worker takes a certificate up by itself, and redirects from then on.
  const visits = () =>
    Promise.all(Array.from({ length: 20 }, () => front.get('blog.example', '/page')));
  await until(
    async () => (await visits()).every(({ status }) => status !== 503),
    'every worker to have the certificate',
  );
  const redirected = await front.get('blog.example', '/page');
  expect(redirected.status).toBe(308);
  expect(redirected.headers.location).toBe(`https://blog.example:${https}/page`);
  const secure = await front.get('blog.example', '/', { servername: 'blog.example' });
  expect(secure.status).toBe(200);
  expect((await front.get('plain.example')).status).toBe(200);
  expect(await issuer('plain.example')).toBeNull();
  const [listed] = JSON.parse((await blog.slots('certs', '--json')).stdout);
  expect(listed).toMatchObject({ hosts: ['blog.example'], state: 'valid', lastError: null });
});

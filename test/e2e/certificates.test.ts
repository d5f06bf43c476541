import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { skipFor } from '../support/needs.ts';
import { lackingPebble, startPebble } from '../support/pebble.ts';
import { plainSite } from '../support/plain-site.ts';
import { shownCertificate } from '../support/shown-certificate.ts';
import { until } from '../support/until.ts';

const HOSTS = ['one.example', 'two.example'];

test('certificates are ordered by HTTP-01, served for each host, and listed by `slots certs`', async ({
  skip,
}) => {
  skipFor(skip, lackingPebble());
  const [proxy = 0, redirect = 0] = await freePorts(2);
  const pebble = await startPebble({ httpPort: redirect, tlsPort: proxy, refusedNonces: 50 });
  const acme = {
    email: 'me@example.com',
    agreeTos: true as const,
    hosts: HOSTS,
    directory: pebble.directory,
  };
  const site = await plainSite({
    config: { ports: { proxy }, proxy: { tls: { acme, redirectHttp: redirect } } },
  });
  site.env.NODE_EXTRA_CA_CERTS = pebble.root;
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  expect(up.stdout).toContain(`https://one.example:${proxy}`);

  const list = async () => JSON.parse((await site.slots('certs', '--json')).stdout);
  await until(
    async () => (await list()).every(({ state }: { state: string }) => state === 'valid'),
    'both certificates',
    60_000,
  );
  const [one] = await list();
  expect(one).toMatchObject({ hosts: ['one.example'], lastError: null, hint: null });
  expect(one.issuer).toContain('Pebble');
  expect(Date.parse(one.notBefore)).toBeLessThan(Date.parse(one.nextTry));
  expect(Date.parse(one.nextTry)).toBeLessThan(Date.parse(one.notAfter));
  for (const host of HOSTS) {
    // By each worker: they look at the files every two seconds.
    const asked = Array.from({ length: 16 });
    const shown = await until(async () => {
      const all = await Promise.all(asked.map(() => shownCertificate(proxy, host)));
      return all.every(({ issuer }) => issuer.includes('Pebble')) && all;
    }, `${host} to be served with it`);
    expect(shown[0]?.names).toBe(`DNS:${host}`);
  }
  const modes = ['', 'one.example.pem', 'state.json'].map(async (name) => {
    return (await stat(join(site.root, 'slots/certs', name))).mode & 0o777;
  });
  expect(await Promise.all(modes)).toEqual([0o700, 0o600, 0o600]);

  const renewed = await site.slots('certs', 'renew', 'one.example');
  expect(renewed, renewed.stderr).toMatchObject({ exitCode: 0 });
  expect(pebble.issued()).toBe(3);
  const wrong = await site.slots('certs', 'renew', 'three.example');
  expect(wrong).toMatchObject({ exitCode: 1 });
  expect(wrong.stderr).toContain('three.example');
});

test('certificates are ordered by TLS-ALPN-01 where only the HTTPS port can be reached', async ({
  skip,
}) => {
  skipFor(skip, lackingPebble());
  const [proxy = 0, closed = 0] = await freePorts(2);
  const pebble = await startPebble({ httpPort: closed, tlsPort: proxy });
  const acme = {
    email: 'me@example.com',
    agreeTos: true as const,
    hosts: ['one.example'],
    directory: pebble.directory,
  };
  const site = await plainSite({ config: { ports: { proxy }, proxy: { tls: { acme } } } });
  site.env.NODE_EXTRA_CA_CERTS = pebble.root;
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  const { stdout } = await site.slots('doctor');
  expect(stdout).toContain('TLS-ALPN-01 on port 443');
  await until(
    async () => (await shownCertificate(proxy, 'one.example')).issuer.includes('Pebble'),
    'the certificate',
  );
  // One who offers the CA's protocol gets no other's certificate by it.
  await expect(shownCertificate(proxy, 'one.example', ['acme-tls/1'])).rejects.toThrow();
});

import { expect, test } from 'vitest';
import { plainSite } from '../support/plain-site.ts';
import { http2Get, http2Session, makeCertificate } from '../support/tls.ts';
import { until } from '../support/until.ts';

test('`slots up` with proxy.tls serves HTTPS, says so, and flips under a standing connection', async () => {
  const tls = await makeCertificate();
  const site = await plainSite({ config: { proxy: { tls } } });
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  expect(up.stdout).toContain(`https://localhost:${site.ports.proxy}`);

  const session = await http2Session(site.ports.proxy);
  const page = async () => String((await http2Get(session, '/')).body);
  expect(await page()).toBe('first page\n');
  await site.edit('page.txt', 'second page\n');
  await until(async () => (await page()) === 'second page\n', 'the edit to be live', 30_000);
  expect(session.closed).toBe(false);
});

test('`slots up` says which certificate keeps the proxy from starting, and not that nobody listens', async () => {
  const tls = { cert: 'missing.pem', key: 'missing.key' };
  const site = await plainSite({ config: { proxy: { tls } } });
  const up = await site.slots('up');
  expect(up.exitCode).toBe(1);
  expect(up.stderr).toContain('the proxy cannot start: proxy.tls.cert:');
  expect(up.stderr).toContain('missing.pem cannot be read (ENOENT)');
  expect(up.stderr).not.toContain('ECONNREFUSED');
});

import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { CacheProvider, CacheProviderConfig, CacheProviderFactory } from 'astro';
import { expect, onTestFinished, test, vi } from 'vitest';
import createProvider, { slotsCache } from '../../src/instance/astro-cache.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A controller that notes what it is told, for the site that this process is said to be of. */
async function startController(status = 200, answer: object = { forgotten: 1 }) {
  const root = await tempFolder();
  const paths = sitePaths(root);
  await mkdir(paths.slots);
  const told: unknown[] = [];
  const server = createServer(async (request, response) => {
    told.push({ method: request.method, url: request.url, ...JSON.parse(await text(request)) });
    response.writeHead(status).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(paths.controlSocket, resolve));
  vi.stubEnv('SLOTS_ROOT', root);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    server.close();
  });
  return { told, server };
}

const PURGE = { method: 'POST', url: '/api/purge' };

test('the provider and its config are what Astro asks for', () => {
  const factory: CacheProviderFactory = createProvider;
  const config: CacheProviderConfig = slotsCache();
  const provider: CacheProvider = factory(undefined);
  expect(provider.name).toBe(config.name);
  expect(config.entrypoint).toBe('two-slots/astro-cache');
});

test('what a page sets becomes fields for the release cache', () => {
  const fields = createProvider().setHeaders({
    maxAge: 60,
    swr: 30,
    tags: ['post', 'größe, 100%'],
    lastModified: new Date(0),
    etag: '"one"',
  });
  expect(Object.fromEntries(fields)).toEqual({
    'slots-cache-control': 'max-age=60, stale-while-revalidate=30',
    'slots-cache-tag': 'post, gr%C3%B6%C3%9Fe%2C%20100%25',
    'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
    etag: '"one"',
  });
});

test('a page that sets only tags is not kept because of them', () => {
  expect(Object.fromEntries(createProvider().setHeaders({ tags: ['post'] }))).toEqual({
    'slots-cache-tag': 'post',
  });
});

test('an invalidation by path is for the page with and without its slash, whatever its query', async () => {
  const { told } = await startController();
  await createProvider().invalidate({ path: '/größe/?a=1' });
  await createProvider().invalidate({ path: '/' });
  expect(told).toEqual([
    { ...PURGE, paths: ['/gr%C3%B6%C3%9Fe', '/gr%C3%B6%C3%9Fe/'] },
    { ...PURGE, paths: ['/'] },
  ]);
});

test('more tags than one call may have come in several, each tag once', async () => {
  const { told } = await startController();
  const tags = Array.from({ length: 150 }, (_, n) => `tag ${n}`);
  await createProvider().invalidate({ tags: [...tags, 'tag 0'] });
  expect(told).toEqual([
    { ...PURGE, tags: tags.slice(0, 100) },
    { ...PURGE, tags: tags.slice(100) },
  ]);
  await createProvider().invalidate({ tags: 'one' });
  expect(told[2]).toEqual({ ...PURGE, tags: ['one'] });
});

test.each([{}, { tags: [] }, { tags: [''] }, { tags: ['x'.repeat(257)] }])(
  'nothing is asked of the controller for %o, since an empty purge would be one of everything',
  async (options) => {
    const { told } = await startController();
    await createProvider().invalidate(options);
    expect(told).toEqual([]);
  },
);

test('an invalidation that the controller refuses, or does not hear, fails', async () => {
  const { server } = await startController(400, { error: { code: 'BAD_REQUEST' } });
  const provider = createProvider();
  await expect(provider.invalidate({ tags: ['a'] })).rejects.toThrow(/answered 400.*BAD_REQUEST/);
  await new Promise((resolve) => server.close(resolve));
  await expect(provider.invalidate({ tags: ['a'] })).rejects.toThrow('no controller answers');
});

test('a site that does not run under slots has nothing to invalidate', async () => {
  vi.stubEnv('SLOTS_ROOT', undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  await createProvider().invalidate({ tags: ['a'] });
});

import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createReleaseFiles, urlsOf } from '../../../src/proxy/cache/release-files.ts';
import { releaseDir } from '../../../src/slots/paths.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { until } from '../../support/until.ts';

test('a page is found under each URL that it is asked for by', () => {
  const root = { folder: 'client', url: '/' };
  expect(urlsOf(root, 'logo.svg')).toEqual(['/logo.svg']);
  expect(urlsOf(root, 'about.html')).toEqual(['/about.html', '/about', '/about/']);
  expect(urlsOf(root, 'blog/index.html')).toEqual(['/blog/index.html', '/blog/', '/blog']);
  expect(urlsOf(root, 'index.html')).toEqual(['/index.html', '/']);
  const next = { folder: '.next/static', url: '/_next/static' };
  expect(urlsOf(next, 'a.js')).toEqual(['/_next/static/a.js']);
});

test('the files of a followed release are known by their URLs, and what a link leads to is not', async () => {
  const paths = await tempSite();
  const release = releaseIdOf(1);
  await putRelease(paths, release, { client: [{ folder: 'client', url: '/' }] });
  const dir = join(releaseDir(paths, release), 'dist', 'client');
  for (const name of ['index.html', 'img/sun set.png']) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), 'x');
  }
  await symlink('/etc/hostname', join(dir, 'link.txt'));
  const files = createReleaseFiles(paths);
  expect(files.has(release, '/')).toBe(false);
  files.follow(new Set([release]));
  await until(() => files.has(release, '/'), 'the folder to be read');
  expect(files.has(release, '/img/sun%20set.png')).toBe(true);
  expect(files.has(release, '/link.txt')).toBe(false);
  expect(files.has(release, '/%zz')).toBe(false);
  files.follow(new Set());
  expect(files.has(release, '/')).toBe(false);
});

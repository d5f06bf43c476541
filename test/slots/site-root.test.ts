import { mkdir, realpath, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { siteRoot } from '../../src/slots/site-root.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('siteRoot gives a folder one name, by whatever links it is reached', async () => {
  const base = await realpath(await tempFolder());
  await mkdir(join(base, 'real'));
  await symlink('real', join(base, 'link'));
  await symlink(join(base, 'link'), join(base, 'link-to-link'));
  const names = ['real', 'real/', 'link', 'link/.', 'link-to-link'].map((name) =>
    siteRoot(`${base}/${name}`),
  );
  expect(new Set(names)).toEqual(new Set([join(base, 'real')]));
  expect(siteRoot(relative(process.cwd(), join(base, 'link')))).toBe(join(base, 'real'));
});

test('siteRoot leaves the name of a folder that is not there, absolute', () => {
  expect(siteRoot('/srv/no-such-site/../site')).toBe('/srv/site');
});

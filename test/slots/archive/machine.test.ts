import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fits, thisMachine } from '../../../src/slots/archive/machine.ts';
import { MACHINE } from '../../support/archives.ts';
import { tempSite } from '../../support/temp-site.ts';

test('a machine that is the same fits, and every machine fits a static site', () => {
  expect(fits(MACHINE, { ...MACHINE })).toBeNull();
  expect(fits(null, { ...MACHINE, platform: 'darwin', node: 22 })).toBeNull();
});

test.each([
  [{ node: 22 }, 'was built with Node 24, and this is Node 22'],
  [{ arch: 'arm64' }, 'was built for linux x64, and this is linux arm64'],
  [{ platform: 'darwin', libc: null }, 'was built for linux x64, and this is darwin x64'],
  [{ libc: 'musl' as const }, 'was built for glibc, and this machine has musl'],
  [{ lockFile: 'b'.repeat(64) }, 'was built with another lock file than the one here'],
  [{ lockFile: null }, 'was built with a lock file, and there is none here'],
  [
    { node: 22, arch: 'arm64' },
    'was built for linux x64, and this is linux arm64; was built with Node 24, and this is Node 22',
  ],
])('a machine that differs by %j does not fit, and is told why', (differs, why) => {
  expect(fits(MACHINE, { ...MACHINE, ...differs })).toBe(why);
});

test('a release that was built without a lock file asks for none', () => {
  expect(fits({ ...MACHINE, lockFile: null }, MACHINE)).toBeNull();
});

test('this machine is what Node says, with the hash of its lock file', async () => {
  const { root } = await tempSite({ 'package-lock.json': '{}' });
  const machine = await thisMachine(join(root, 'package-lock.json'));
  expect(machine).toMatchObject({
    node: Number(process.versions.node.split('.')[0]),
    platform: process.platform,
    arch: process.arch,
    lockFile: createHash('sha256').update('{}').digest('hex'),
  });
  expect(await thisMachine(null)).toEqual({ ...machine, lockFile: null });
});

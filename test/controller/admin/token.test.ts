import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { adminToken } from '../../../src/controller/admin/token.ts';
import { tempSite } from '../../support/temp-site.ts';

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('the token is made once, of 32 random bytes, for its owner only', async () => {
  const mask = process.umask(0);
  onTestFinished(() => void process.umask(mask));
  const paths = await tempSite();
  const token = await adminToken(paths);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect((await readFile(paths.adminToken, 'utf8')).trim()).toBe(token);
  expect(await modeOf(paths.adminToken)).toBe(0o600);
  expect(await adminToken(paths)).toBe(token);
  expect(await adminToken(await tempSite())).not.toBe(token);
});

test('a file that others may read is closed to them', async () => {
  const paths = await tempSite();
  const token = await adminToken(paths);
  await chmod(paths.adminToken, 0o644);
  expect(await adminToken(paths)).toBe(token);
  expect(await modeOf(paths.adminToken)).toBe(0o600);
});

test.each(['', 'short\n', 'g'.repeat(64)])(
  'a file that holds %j gets a new token',
  async (text) => {
    const paths = await tempSite({ 'slots/admin-token': text });
    await writeFile(paths.adminToken, text);
    const token = await adminToken(paths);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(await modeOf(paths.adminToken)).toBe(0o600);
  },
);

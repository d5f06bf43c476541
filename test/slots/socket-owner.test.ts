import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { callController } from '../../src/cli/client.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { isOwnSocket } from '../../src/slots/socket-owner.ts';
import { tempFolder } from '../support/temp-folder.ts';

const NOBODY = 65_534;

/** A site whose control socket has to be in the temporary folder, with a file in its place. */
async function longSite() {
  const paths = sitePaths(join(await tempFolder(), 'long'.repeat(30)));
  await mkdir(paths.slots, { recursive: true });
  await writeFile(paths.controlSocket, '');
  onTestFinished(() => rm(paths.controlSocket, { force: true }));
  return paths;
}

test('a control socket in the temporary folder is spoken to when it is of the owner of slots/, or not there', async () => {
  const paths = await longSite();
  expect(isOwnSocket(paths)).toBe(true);
  await rm(paths.controlSocket);
  expect(isOwnSocket(paths)).toBe(true);
});

test('a control socket in the temporary folder is not spoken to when it is of another user', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip('only root can give a file to another user');
  const paths = await longSite();
  await chown(paths.controlSocket, NOBODY, NOBODY);
  expect(isOwnSocket(paths)).toBe(false);
  await expect(callController(paths, 'GET', '/api/status')).rejects.toMatchObject({
    code: 'CONTROLLER_UNREACHABLE',
  });
  // The site is that user's own.
  await chown(paths.slots, NOBODY, NOBODY);
  expect(isOwnSocket(paths)).toBe(true);
});

test('one in slots/ is spoken to: only who may write there can have put it', async () => {
  const paths = sitePaths(await tempFolder());
  expect(isOwnSocket(paths)).toBe(true);
});

import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pointSlot, slotRelease } from '../../src/slots/link.ts';
import { slotLink } from '../../src/slots/paths.ts';
import { putRelease, releaseIdOf, tempSite } from '../support/temp-site.ts';

const ONE = releaseIdOf(1);
const TWO = releaseIdOf(2);

test('pointSlot points a slot at a release by a relative link, so that the site may be moved', async () => {
  const paths = await tempSite();
  await pointSlot(paths, 'blue', ONE);
  expect(await readlink(slotLink(paths, 'blue'))).toBe(join('releases', ONE));
  expect(await slotRelease(paths, 'blue')).toBe(ONE);
  expect(await slotRelease(paths, 'green')).toBeNull();
});

test('pointSlot leaves nothing but the link behind', async () => {
  const paths = await tempSite();
  for (const id of [ONE, TWO, ONE]) await pointSlot(paths, 'green', id);
  expect(await readdir(paths.slots)).toEqual(['green']);
});

test('pointSlot points a slot at nothing by removing its link, also when there is none', async () => {
  const paths = await tempSite();
  await pointSlot(paths, 'blue', ONE);
  await pointSlot(paths, 'blue', null);
  await pointSlot(paths, 'blue', null);
  expect(await readdir(paths.slots)).toEqual([]);
});

test('pointSlot never lets a reader find the slot missing or half moved', async () => {
  const paths = await tempSite();
  await putRelease(paths, ONE);
  await putRelease(paths, TWO);
  await pointSlot(paths, 'blue', ONE);
  const entry = join(slotLink(paths, 'blue'), 'dist/server.mjs');

  let moving = true;
  const seen = new Set<string>();
  const reader = (async () => {
    while (moving || seen.size < 2) seen.add(await readFile(entry, 'utf8'));
  })();
  for (let move = 0; move < 200; move++) await pointSlot(paths, 'blue', move % 2 ? ONE : TWO);
  moving = false;
  await pointSlot(paths, 'blue', seen.has(ONE) ? TWO : ONE);
  await reader;
  expect([...seen].sort()).toEqual([ONE, TWO]);
});

test('pointSlot refuses to replace a folder or a file that stands in the place of a slot', async () => {
  const paths = await tempSite({ 'slots/blue/precious.txt': 'mine', 'slots/green': 'mine' });
  for (const slot of ['blue', 'green'] as const) {
    const attempt = pointSlot(paths, slot, ONE);
    await expect(attempt).rejects.toMatchObject({ code: 'SLOT_NOT_A_LINK' });
    await expect(pointSlot(paths, slot, null)).rejects.toThrow(slotLink(paths, slot));
  }
  expect(await readFile(join(paths.slots, 'blue/precious.txt'), 'utf8')).toBe('mine');
});

test('pointSlot replaces a link whose release is gone', async () => {
  const paths = await tempSite();
  await pointSlot(paths, 'blue', ONE);
  await rm(paths.releases, { recursive: true, force: true });
  await pointSlot(paths, 'blue', TWO);
  expect(await slotRelease(paths, 'blue')).toBe(TWO);
});

test.each([
  ['an absolute path', '/somewhere/else'],
  ['a release of another site', `../../other/slots/releases/${ONE}`],
  ['something that is not a release', 'releases/latest'],
  ['a partial', `releases/${ONE}.partial`],
])('slotRelease takes a link to %s for none of ours', async (_name, target) => {
  const paths = await tempSite();
  await mkdir(paths.slots);
  await symlink(target, slotLink(paths, 'blue'));
  expect(await slotRelease(paths, 'blue')).toBeNull();
});

test('slotRelease takes a file in the place of a link for no release', async () => {
  const paths = await tempSite();
  await mkdir(paths.slots);
  await writeFile(slotLink(paths, 'blue'), ONE);
  expect(await slotRelease(paths, 'blue')).toBeNull();
});

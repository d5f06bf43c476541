import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readRelease } from '../../src/slots/release.ts';
import { putRelease, releaseIdOf, tempSite } from '../support/temp-site.ts';

test('a release whose trigger this version does not know is a release all the same', async () => {
  const paths = await tempSite();
  const id = releaseIdOf(1);
  await putRelease(paths, id);
  const release = await readRelease(paths, id);
  const file = join(paths.releases, id, 'release.json');
  await writeFile(file, JSON.stringify({ ...release, trigger: 'moonrise' }));
  expect(await readRelease(paths, id)).toEqual({ ...release, trigger: 'unknown' });
});

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { writesFile } from '../../src/slots/paths.ts';
import { howToShare, readSiteWrites } from '../../src/slots/site-writes.ts';
import { releaseIdOf, tempSite } from '../support/temp-site.ts';

test.each([
  ['public/uploads/a.png', 'server.js', "shared: ['public/uploads']"],
  ['data/site.db', 'server/index.mjs', "shared: ['data']"],
  ['server-data/site.db', 'server/index.mjs', "shared: ['server-data']"],
  ['site.db', 'server.js', 'into a folder that is named in "shared"'],
  ['server/site.db', 'server/index.mjs', 'into a folder that is named in "shared"'],
  [
    'build/site.db',
    'react-router:build/server/index.js',
    'into a folder that is named in "shared"',
  ],
])(
  'of a site that writes %s beside %s a folder is named that can be shared',
  (file, entry, says) => {
    expect(howToShare(file, entry)).toContain(says);
  },
);

test('what a framework makes again in a release is not missed', async () => {
  const paths = await tempSite();
  const id = releaseIdOf(1);
  const file = writesFile(paths, id);
  await mkdir(dirname(file), { recursive: true });
  const written = [
    '.next/cache/a',
    'server/contents.sqlite',
    'server/contents.sqlite-wal',
    'server/my-contents.sqlite',
  ];
  const lines = written.map((path) => JSON.stringify({ in: 'release', path }));
  await writeFile(file, lines.join('\n'));
  expect((await readSiteWrites(paths)).releases.get(id)).toEqual(['server/my-contents.sqlite']);
});

import { expect, test } from 'vitest';
import { contentOutside, describeUnwatched } from '../../src/cli/content-outside.ts';
import { tempSite } from '../support/temp-site.ts';

test('Markdown that no watched folder holds is named, what comes with code is not', async () => {
  const { root } = await tempSite({
    'src/pages/a.md': '',
    'notes/deep/a.md': '',
    'notes/b.mdx': '',
    'about.md': '',
    'README.md': '',
    'CHANGELOG.md': '',
    'node_modules/x/a.md': '',
    '.obsidian/a.md': '',
    'slots/releases/a.md': '',
  });
  const found = contentOutside(root, ['./src/', 'public']).map(describeUnwatched).sort();
  expect(found).toEqual(['about.md', 'notes (2 files, as notes/b.mdx)']);
  expect(contentOutside(root, ['.'])).toEqual([]);
});

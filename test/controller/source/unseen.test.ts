import { expect, test } from 'vitest';
import { type Edited, mayDrop } from '../../../src/controller/source/unseen.ts';

const READS = {
  pids: new Set([1, 2]),
  files: new Set<string>(),
  folders: new Set<string>(),
  unknown: null,
};

const EDIT: Edited = {
  trigger: 'edit',
  changed: [['/site/content/a.md']],
  reads: READS,
  pids: [1, 2],
  envFiles: ['/site/.env'],
  hasNodeArgs: false,
};

test('an edit of which the site has read nothing can be dropped', () => {
  expect(mayDrop(EDIT)).toBe(true);
  expect(mayDrop({ ...EDIT, changed: [] })).toBe(true);
});

test.each<[string, Partial<Edited>]>([
  ['that somebody has ordered', { trigger: 'promote' }],
  ['that a push brought', { trigger: 'push' }],
  ['of which nobody remembers what changed', { changed: null }],
  ['of more files than are looked at', { changed: Array(1001).fill(['/site/content/a.md']) }],
  [
    'of a file that the site has read',
    { reads: { ...READS, files: new Set(['/site/content/a.md']) } },
  ],
  ['in a folder that the site has listed', { reads: { ...READS, folders: new Set(['/site']) } }],
  [
    'of a site that does what nobody can follow',
    { reads: { ...READS, unknown: 'it has threads' } },
  ],
  ['of a site with a process that tells nothing', { pids: [1, 2, 3] }],
  ['of a site that does not run', { pids: [] }],
  ['of a variable', { changed: [['/site/.env']] }],
  ['of code', { changed: [['/site/src/a.mts']] }],
  ['of data that can be imported', { changed: [['/site/content/a.json']] }],
  ['of a site whose Node is given flags', { hasNodeArgs: true }],
  [
    'of a file that the site has read by another name',
    {
      changed: [['/site/content/a.md', '/data/a.md']],
      reads: { ...READS, files: new Set(['/data/a.md']) },
    },
  ],
])('an edit is promoted %s', (_what, more) => {
  expect(mayDrop({ ...EDIT, ...more })).toBe(false);
});

test('a folder that was listed says nothing of its neighbour with a longer name', () => {
  const reads = { ...READS, folders: new Set(['/site/cont', '/site/content/a']) };
  expect(mayDrop({ ...EDIT, reads })).toBe(true);
});

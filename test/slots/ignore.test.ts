import { expect, test } from 'vitest';
import { createIgnore } from '../../src/slots/ignore.ts';

const LEFT_BEHIND: [string, string[]][] = [
  ['Vim', ['.post.md.swp', '.post.md.swo', '.swp', '4913', 'post.md~', '.post.md.un~']],
  ['Emacs', ['.#post.md', '#post.md#', 'post.md~', '.saves-123-box~']],
  ['Kate, gedit and Sublime Text', ['.post.md.kate-swp', '.goutputstream-A1B2C3', '.subl1a2.tmp']],
  ['IDEs', ['.idea', '.vscode', '.vs', '.history', 'post.md___jb_tmp___', 'a.sublime-workspace']],
  ['Obsidian and Logseq', ['.obsidian', '.trash', 'logseq/bak', 'notes/logseq/bak']],
  ['office programs', ['~$prices.xlsx', '.~lock.prices.ods#', '~WRL0001.tmp']],
  ['Dropbox', ['.dropbox', '.dropbox.cache', '.dropbox.attr', "a (Ann's conflicted copy 2026).md"]],
  ['Syncthing', ['.stfolder', '.stversions', '.syncthing.post.md.tmp', '~syncthing~post.md.tmp']],
  ['Syncthing, of two at once', ['post.sync-conflict-20260101-120000-ABCDEFG.md']],
  ['Nextcloud', ['.sync_a1b2.db', '.sync_a1b2.db-wal', '._sync_1.db', '.post.md.~1a2b']],
  ['Google Drive, iCloud, OneDrive', ['.tmp.drivedownload', '.post.md.icloud', 'desktop.ini']],
  ['rsync and downloads', ['.post.md.Ab3dEf', '.~tmp~', 'a.mp3.part', 'a.mp3.crdownload']],
  ['macOS', ['.DS_Store', '._post.md', '.AppleDouble', '.Spotlight-V100', 'Icon\r', '__MACOSX']],
  ['Windows', ['Thumbs.db', 'thumbs.db', 'desktop.ini', '$RECYCLE.BIN', 'a.md:Zone.Identifier']],
  [
    'Linux desktops and NAS boxes',
    ['.directory', '.Trash-1000', 'lost+found', '@eaDir', '#recycle'],
  ],
  ['network file systems', ['.nfs000000000123', '.fuse_hidden0000abcd']],
  ['version control and merges', ['.hg', '.svn', '.jj', 'post.md.orig', 'post.md.rej', 'a.bak']],
  ['tools and databases', ['.eslintcache', 'data.sqlite-wal', 'data.db-journal', 'a.tsbuildinfo']],
];

test.each(LEFT_BEHIND)('what %s leave behind is left alone at any depth', (_who, paths) => {
  const ignores = createIgnore([]);
  for (const path of paths) {
    expect(ignores(path), path).toBe(true);
    expect(ignores(`content/deep/${path}`), path).toBe(true);
  }
});

test.each([
  'post.md',
  'Post 1 (copy).md',
  'content/2026/swap.md',
  'public/.well-known/security.txt',
  '.htaccess',
  '.env',
  '.env.production',
  'index.html',
  'content/history.md',
  'trash.md',
  'backup.md',
  'content/cvs/me.md',
  'data.sqlite',
  'data.db',
  'a.temperature.csv',
  'thumbs.json',
  '#hashtag.md',
  '~user.md',
  '_drafts/a.md',
  'photo.part1.jpg',
  '4913.md',
])('%s is content', (path) => {
  expect(createIgnore([])(path)).toBe(false);
});

test('a pattern without a slash names a file or folder at any depth', () => {
  const ignores = createIgnore(['*.log', 'drafts/']);
  expect(['a.log', 'content/a.log', 'drafts', 'content/drafts'].map(ignores)).toEqual(
    Array(4).fill(true),
  );
  expect(['a.logs', 'content/a.md', 'mydrafts'].map(ignores)).toEqual([false, false, false]);
});

test('a pattern with a slash names a path from the root of the site', () => {
  const ignores = createIgnore(['content/drafts', '/top.md', 'content/**/*.json', './x/y']);
  expect(
    ['content/drafts', 'top.md', 'content/a/b/c.json', 'content/a.json', 'x/y'].map(ignores),
  ).toEqual(Array(5).fill(true));
  expect(['drafts', 'content/top.md', 'a.json', 'src/content/drafts'].map(ignores)).toEqual(
    Array(4).fill(false),
  );
});

test('an exclamation mark takes back what an earlier pattern says, and the last one decides', () => {
  const ignores = createIgnore(['!*.bak', '*.json', '!menu.json', 'old/menu.json']);
  expect(['a.bak', 'menu.json', 'content/menu.json'].map(ignores)).toEqual([false, false, false]);
  expect(['a.json', 'old/menu.json', 'a.orig'].map(ignores)).toEqual([true, true, true]);
});

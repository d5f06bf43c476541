import picomatch from 'picomatch';

/**
 * Names of files that editors, sync tools and desktops leave beside what people write. None of it is ever content, and
 * most of it changes without anybody having edited anything.
 */
export const IGNORED_BY_DEFAULT: readonly string[] = [
  // Vim and its relatives: swap files, the file that tries whether a folder can be written, undo files.
  ...[
    '.*.sw[a-p]',
    '.sw[a-p]',
    '.*.swpx',
    '4913',
    '*.un~',
    '.netrwhist',
    '.*.kate-swp',
    '.*.kak.*',
  ],
  // Emacs: lock links and what it saves by itself. `*~` is a backup copy of many editors.
  ...['.#*', '#*#', '*~', '.saves-*', 'flycheck_*', 'auto-save-list'],
  // JetBrains, VS Code, Sublime Text, Zed and others: settings, open windows, temporary copies.
  ...['.idea', '*___jb_tmp___', '*___jb_old___', '.vscode', '.vs', '.history', '*.code-workspace'],
  ...['*.sublime-workspace', '*.sublime-project', '.subl*.tmp', '.zed', '.fleet', '.cursor'],
  ...['.goutputstream-*', '.gedit-save-*', '.windsurf', '.aider*', '.nova', '.ipynb_checkpoints'],
  // Obsidian, Logseq, Zettlr and Foam: which notes are open, and their bins.
  ...['.obsidian', '.trash', '**/logseq/bak', '.recycle', '.ztr-directory', '.foam', '.smart-env'],
  // Office programs: who has the file open.
  ...['~$*', '.~lock.*#', '*.lck', '~WRL*.tmp', '*.asd'],
  // Dropbox, Syncthing, Nextcloud, Google Drive, Resilio, iCloud, rsync, Unison and downloads under way.
  ...['.dropbox', '.dropbox.*', '.stfolder', '.stfolder.*', '.stversions', '.stignore'],
  ...['.syncthing.*.tmp', '~syncthing~*', '*.sync-conflict-*', '*conflicted copy*'],
  ...['._sync_*', '.sync_*.db*', '.sync-exclude.lst', '.owncloudsync.log*', '.nextcloudsync.log*'],
  ...['.*.~[0-9a-f]*', '.tmp.drivedownload', '.tmp.driveupload', '.sync', '*.!sync', '*.bts'],
  ...[
    '.*.icloud',
    '.~tmp~',
    '.rsync-partial',
    '.*.?*.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]',
  ],
  ...['.unison.*', '*.part', '*.partial', '*.filepart', '*.crdownload', '*.download'],
  ...['.fuse_hidden*', '.nfs[0-9a-f]*', '.849C9593-D756-4E56-8D6E-42412F2A707B'],
  // macOS, Windows, Linux desktops and storage boxes.
  ...['.DS_Store', '._*', '.AppleDouble', '.AppleDB', '.AppleDesktop', '.LSOverride', '.apdisk'],
  ...[
    '.Spotlight-V100',
    '.Trashes',
    '.fseventsd',
    '.TemporaryItems',
    '.VolumeIcon.icns',
    '__MACOSX',
  ],
  ...['.DocumentRevisions-V100', '.com.apple.*', 'Icon\r', '.localized'],
  ...[
    'Thumbs.db',
    'Thumbs.db:*',
    'ehthumbs*.db',
    'desktop.ini',
    '$RECYCLE.BIN',
    'System Volume Information',
  ],
  ...[
    '*:Zone.Identifier',
    '.directory',
    '.Trash-*',
    '.thumbnails',
    '.xdg-volume-info',
    'lost+found',
  ],
  ...['@eaDir', '.@__thumb', '@Recycle', '#recycle', '#snapshot'],
  // Other version control, and what merges leave.
  ...['.hg', '.svn', '.jj', '.bzr', '_darcs', '*.orig', '*.rej', '*.bak', '*.tmp', '*.temp'],
  // Caches of tools, and what a database writes beside itself.
  ...['.eslintcache', '*.tsbuildinfo', '.sass-cache', '__pycache__', '*.py[co]'],
  ...['npm-debug.log*', 'yarn-error.log*', '*.{db,sqlite,sqlite3}-{journal,wal,shm}'],
];

/**
 * Tells by name and path whether a file or folder is left alone.
 *
 * @param path relative to the site's root, with `/`
 */
export type Ignore = (path: string) => boolean;

interface Rule {
  leaves: boolean;
  byName: RegExp | null;
  byPath: RegExp | null;
}

/**
 * The patterns of a config's `ignore`, after those of {@link IGNORED_BY_DEFAULT}. A pattern without a slash names a file or
 * folder at any depth, one with a slash a path from the site's root; `!` in front takes back what one before it
 * says. The last pattern that fits decides. What lies below a folder is not asked for: a folder that is left alone is not gone into.
 */
export function createIgnore(patterns: readonly string[]): Ignore {
  const rules = toRules([...IGNORED_BY_DEFAULT, ...patterns]).reverse();
  return (path) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const rule = rules.find(({ byName, byPath }) => byName?.test(name) || byPath?.test(path));
    return rule?.leaves ?? false;
  };
}

/** Neighbours of one kind become one expression each: 20 000 files are asked for at every look. */
function toRules(patterns: readonly string[]): Rule[] {
  const runs: { leaves: boolean; patterns: string[] }[] = [];
  for (const pattern of patterns) {
    const leaves = !pattern.startsWith('!');
    const bare = pattern.slice(leaves ? 0 : 1).replace(/\/(\*\*?)?$/, '');
    const last = runs.at(-1);
    if (last?.leaves === leaves) last.patterns.push(bare);
    else runs.push({ leaves, patterns: [bare] });
  }
  return runs.map(({ leaves, patterns: some }) => ({
    leaves,
    byName: toExpression(some.filter((pattern) => !pattern.includes('/'))),
    byPath: toExpression(
      some
        .filter((pattern) => pattern.includes('/'))
        .map((pattern) => pattern.replace(/^\.?\//, '')),
    ),
  }));
}

/** Without case: a desktop that ignores it writes `thumbs.db` as well. */
function toExpression(patterns: string[]): RegExp | null {
  if (patterns.length === 0) return null;
  const sources = patterns.map((pattern) => picomatch.makeRe(pattern, { dot: true }).source);
  return new RegExp(sources.join('|'), 'i');
}

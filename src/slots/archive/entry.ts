import { posix } from 'node:path';

/** The head of one entry of an archive, as it is read from hostile bytes. */
export interface EntryHead {
  name: string;
  /** tar's word for it, for instance `file`; `null` for a type that it does not know. */
  type: string | null;
  /** What the head says that the entry's bytes are. */
  size: number;
  linkname: string | null;
  mode: number;
}

/** An entry that is good to write. Paths are relative to the release's folder. */
export type Entry =
  | { kind: 'folder'; path: string }
  | { kind: 'file'; path: string; executable: boolean }
  | {
      kind: 'link';
      path: string;
      target: string;
      /** The shared folder that it leads to; `null` when it stays in the release. */
      shared: string | null;
    };

/** What stands between an entry and the disk. */
export interface EntryRules {
  /** Kinds of the entries so far, by path: the next one must lie in a folder among them, and have a name of its own. */
  seen: ReadonlyMap<string, Entry['kind']>;
  /** Folders of the site that a link may lead to, relative to its root: the `shared` ones of this machine's config. */
  shared: readonly string[];
}

/** Where a release lies below the site's root, as far as links are concerned: `slots/releases/<id>`. */
const RELEASE_DEPTH = ['slots', 'releases', 'id'];

/** A release's own files; its processes' notes and its link to packages are the machine's. */
const ROOT_FILES = ['release.json', 'build.log'];

/** Says what an entry is, or why it is refused: in words that go after its name. */
export function judgeEntry(head: EntryHead, { seen, shared }: EntryRules): Entry | string {
  const path = head.type === 'directory' ? head.name.replace(/\/$/, '') : head.name;
  const wrong = wrongPath(path);
  if (wrong) return wrong;
  if (seen.has(path)) return 'is in it twice';
  const parent = posix.dirname(path);
  if (parent !== '.' && seen.get(parent) !== 'folder') return 'lies in no folder of it';
  if (!isOfRelease(path, head.type)) return 'is nothing that a release has';
  if (head.type === 'file') return { kind: 'file', path, executable: (head.mode & 0o100) !== 0 };
  if (head.size !== 0) return `is a ${head.type} with bytes of its own`;
  if (head.type === 'directory') return { kind: 'folder', path };
  if (head.type !== 'symlink') return `is a ${head.type ?? 'thing of unknown type'}`;
  const target = head.linkname ?? '';
  const wrongTarget = wrongLink(path, target, shared);
  if (wrongTarget) return wrongTarget;
  const leadsTo = posix.join(...RELEASE_DEPTH, posix.dirname(path), target).replace(/\/$/, '');
  return { kind: 'link', path, target, shared: shared.find((name) => name === leadsTo) ?? null };
}

function wrongPath(path: string): string | null {
  if (path.startsWith('/')) return 'is an absolute path';
  const parts = path.split('/');
  if (parts.includes('..')) return 'leads out of the release';
  if (parts.includes('') || parts.includes('.') || path.includes('\0')) return 'is no plain path';
  return null;
}

function isOfRelease(path: string, type: string | null): boolean {
  if (path === 'dist') return type === 'directory';
  return path.startsWith('dist/') || (ROOT_FILES.includes(path) && type === 'file');
}

/**
 * Why a link may not be in a release, in words that go after its name; `null` when it may. It must stay in `dist`, or
 * lead to a `shared` folder. `..` counts at its beginning only: after a name, which may be another link, nobody can
 * tell by the words where it leads.
 */
export function wrongLink(path: string, target: string, shared: readonly string[]): string | null {
  if (target === '' || target.includes('\0')) return 'is a link to nothing';
  if (target.startsWith('/')) return `is a link to the absolute path ${target}`;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const down = parts.slice(parts.lastIndexOf('..') + 1);
  const ups = parts.length - down.length;
  if (parts.slice(0, ups).some((part) => part !== '..')) {
    return `is a link that goes down and up again, to ${target}`;
  }
  const from = [...RELEASE_DEPTH, ...path.split('/').slice(0, -1)];
  const base = from.slice(0, from.length - ups);
  if (ups <= from.length) {
    const inDist = base.length > RELEASE_DEPTH.length && base[RELEASE_DEPTH.length] === 'dist';
    const backIn = base.length === RELEASE_DEPTH.length && down[0] === 'dist';
    if (inDist || backIn) return null;
    if (base.length === 0 && shared.includes(down.join('/'))) return null;
    if (base.length === 0 && down.length > 0 && down[0] !== 'slots') {
      return `is a link to ${down.join('/')}, which is not in "shared" of the config here`;
    }
  }
  return `is a link that leads out of the release, to ${target}`;
}

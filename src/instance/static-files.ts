import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { contentType } from 'mime-types';
import { contentTag, stampTag } from './static-etag.ts';

/** One file as it is sent. */
export interface StaticFile {
  /** Its real path. */
  path: string;
  etag: string;
  /** As an HTTP date. */
  lastModified: string;
  /** In bytes. */
  size: number;
  /** Of the content coding that it has, for a file that stands beside the one asked for. */
  encoding: Encoding | null;
}

/** A file, and those beside it that hold the same content in a shorter form. */
export interface Variants {
  /** The media type, by the name that the site gives the file. */
  type: string;
  plain: StaticFile;
  encoded: StaticFile[];
}

export type Encoding = 'br' | 'gzip';

/** In the order of preference. */
const ENCODINGS: [Encoding, string][] = [
  ['br', '.br'],
  ['gzip', '.gz'],
];

export interface StaticFiles {
  /** Finds the file for a path, decoded and normalized; `folder` leads to the same path with a slash. */
  find(path: string): Promise<Variants | 'folder' | null>;
}

/**
 * The files below `root`, a real path. Those of the release never change, so what was found once is kept; what lies
 * behind a link is looked at each time. Links that lead nowhere are files that are not there.
 *
 * @param guarded the site's `slots` folder: nothing in it is served but `root`, whatever links there are
 */
export function staticFiles(root: string, guarded: string | null): StaticFiles {
  const known = new Map<string, Variants>();

  async function variants(path: string): Promise<Variants | null> {
    const found = known.get(path);
    if (found) return found;
    const plain = await readFile(path, null);
    if (!plain) return null;
    const beside = ENCODINGS.map(([encoding, end]) => readFile(path + end, encoding));
    const encoded = (await Promise.all(beside)).filter((file) => file !== null);
    const answer = { type: typeOf(path), plain, encoded };
    if (plain.path === join(root, path)) known.set(path, answer);
    return answer;
  }

  async function readFile(path: string, encoding: Encoding | null): Promise<StaticFile | null> {
    const real = await realpath(join(root, path)).catch(() => null);
    if (real === null || !isServed(real)) return null;
    const stats = await stat(real).catch(() => null);
    if (!stats?.isFile()) return null;
    // Only the release's own files are written anew by every build.
    const isOwn = isWithin(root, real);
    const etag = isOwn ? await contentTag(real, stats) : stampTag(stats);
    const { size, mtime } = stats;
    return { path: real, etag, lastModified: mtime.toUTCString(), size, encoding };
  }

  function isServed(real: string): boolean {
    return isWithin(root, real) || guarded === null || !isWithin(guarded, real);
  }

  async function hasIndex(path: string): Promise<boolean> {
    const real = await realpath(join(root, path, 'index.html')).catch(() => null);
    return real !== null && isServed(real);
  }

  return {
    async find(path) {
      if (isHidden(path)) return null;
      if (path === '/') return variants('/index.html');
      const bare = path.endsWith('/') ? path.slice(0, -1) : path;
      if (bare !== path) return (await variants(`${path}index.html`)) ?? variants(`${bare}.html`);
      const file = (await variants(path)) ?? (await variants(`${path}.html`));
      return file ?? ((await hasIndex(path)) ? 'folder' : null);
    },
  };
}

/** XML says its encoding itself, and is `text/xml` to nginx, Caddy and old feed readers. */
function typeOf(path: string): string {
  const extension = extname(path);
  return extension === '.xml' ? 'text/xml' : contentType(extension) || 'application/octet-stream';
}

/** Not to be served: what is hidden but for `.well-known` (RFC 8615), and Netlify's files, which are instructions. */
function isHidden(path: string): boolean {
  return /\/\.(?!well-known(\/|$))/.test(path) || /^\/_(headers|redirects)$/.test(path);
}

function isWithin(folder: string, path: string): boolean {
  return path.startsWith(folder + sep);
}

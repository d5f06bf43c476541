import { readdirSync } from 'node:fs';
import { join, normalize } from 'node:path';

/** More entries than this are not looked at: it is a hint, and a site may lie beside a large archive. */
const MAX_ENTRIES = 20_000;

/** Markdown that comes with code and is no page. */
const ABOUT_CODE =
  /^(readme|changelog|changes|history|license|licence|contributing|code_of_conduct|security|agents|claude|todo|authors)\b/i;

/** Never written by people, or no part of the site. */
const NOT_LOOKED_INTO =
  /^(\..*|node_modules|slots|dist|build|out|coverage|vendor|tests?|__tests__|docs-dist|tmp)$/;

/** Markdown in a folder, or at the top, of which no edit is seen. */
export interface Unwatched {
  /** The folder at the top of the site, or a file there. */
  at: string;
  files: number;
  /** One of them. */
  example: string;
}

/** Where a site has `.md` and `.mdx` files that `watch` leaves out: somebody may edit them and wait for ever. */
export function contentOutside(root: string, watch: readonly string[]): Unwatched[] {
  const watched = watch.map((path) => normalize(path).replace(/\/$/, ''));
  if (watched.includes('.')) return [];
  const isSeen = (path: string) =>
    watched.some((each) => path === each || path.startsWith(`${each}/`));
  const found = new Map<string, Unwatched>();
  const queue = [''];
  for (let looked = 0; queue.length > 0; ) {
    const folder = queue.shift() as string;
    for (const entry of entriesOf(join(root, folder))) {
      if (++looked > MAX_ENTRIES) return [...found.values()];
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (isSeen(path) || NOT_LOOKED_INTO.test(entry.name)) continue;
      if (entry.isDirectory()) queue.push(path);
      else if (/\.mdx?$/i.test(entry.name) && !ABOUT_CODE.test(entry.name)) {
        const at = path.split('/')[0] as string;
        const before = found.get(at);
        found.set(at, { at, files: (before?.files ?? 0) + 1, example: before?.example ?? path });
      }
    }
  }
  return [...found.values()];
}

/** For people, for instance `notes (12 files, as notes/a.md)`. */
export function describeUnwatched({ at, files, example }: Unwatched): string {
  if (example === at) return at;
  return `${at} (${files === 1 ? example : `${files} files, as ${example}`})`;
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

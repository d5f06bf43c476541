/** Which files of a release are kept for tabs that were opened before the next one, by their URLs' paths: pure. */
import { isHashed } from './hashed.ts';

/** Pages must be current, and a compressed form belongs to a file that is kept itself. */
const NEVER = /\.(?:x?html?|br|gz|zst)$/i;

/**
 * Files that must be current whatever hash their folder promises: a page that gets an old service worker keeps it,
 * and an old version file hides the new version.
 */
const CURRENT =
  /^(?:(?:.*[-_.])?(?:sw|service[-_]?worker|ngsw[-_]?worker)(?:[-_.].*)?\.[cm]?js(?:\.map)?|(?:version|latest|manifest)\.json|.*\.webmanifest)$/i;

/**
 * Vite's hashes have 64 characters to choose from, so that one in a thousand looks like a word. Such a name is no
 * promise to browsers, but of a script or a style that a page has asked for it is enough to be kept.
 */
const VITE_WORD = /\/assets\/[^/]*-[\w-]{8}\.(?:m?js|css)$/;

/** Names that one program or another reads as a way to somewhere else, and what a server never shows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const TRICK = /[\x00-\x1f\x7f\\\ufffd]|%(?:2e|2f|5c|00)|\/(?:\.|$)|\/\/|\/[^/]*[. ](?:\/|$)/i;

/**
 * Whether the file at this URL is kept when its release is gone.
 *
 * @param path of the URL, decoded: with `/` in front, and the names as they are on the disk
 */
export function isKept(path: string): boolean {
  if (!path.startsWith('/') || TRICK.test(path) || NEVER.test(path)) return false;
  const isStable = isHashed(path) || VITE_WORD.test(path);
  return isStable && !CURRENT.test(path.slice(path.lastIndexOf('/') + 1));
}

/**
 * The path of a request as {@link isKept} takes it; `null` for one that no kept file can have.
 *
 * @param target in origin form
 */
export function keptPath(target: string): string | null {
  const end = target.search(/[?#]/);
  const raw = end === -1 ? target : target.slice(0, end);
  if (!raw.includes('%')) return isKept(raw) ? raw : null;
  // An encoded slash is no part of a name on any disk.
  if (/%(?:2f|5c)/i.test(raw)) return null;
  try {
    const path = decodeURIComponent(raw);
    return isKept(path) ? path : null;
  } catch {
    return null;
  }
}

import { posix } from 'node:path';

export interface Target {
  /** Decoded and normalized, with a slash in front; with one at the end where the request had it. */
  path: string;
  /** The query with its question mark, or nothing. */
  search: string;
}

const BAD_ESCAPE = /%(?![0-9a-f]{2})/i;

/**
 * Reads a request's target as nginx does: `%2F` is a slash like any other, slashes are merged and dots resolved.
 *
 * @returns the status of the refusal where there is no such path: 400 for a bad escape, a NUL or a way out of the
 * root, 404 for bytes that are no UTF-8
 */
export function readTarget(target: string): Target | 400 | 404 {
  const end = target.indexOf('?');
  const raw = end === -1 ? target : target.slice(0, end);
  const search = end === -1 ? '' : target.slice(end);
  if (!raw.startsWith('/') || BAD_ESCAPE.test(raw)) return 400;
  const path = decode(raw);
  if (path === null) return 404;
  if (path.includes('\0') || leavesRoot(path)) return 400;
  return { path: posix.normalize(path), search };
}

/** The path in a form that may stand in a `Location` field. */
export function encodePath(path: string): string {
  return encodeURI(path).replaceAll(/[?#]/g, encodeURIComponent);
}

/** Node gives the bytes of a target as Latin-1. */
function decode(raw: string): string | null {
  try {
    return decodeURIComponent(encodeBytes(raw));
  } catch {
    return null;
  }
}

function encodeBytes(raw: string): string {
  return raw.replaceAll(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
}

function leavesRoot(path: string): boolean {
  let depth = 0;
  for (const segment of path.split('/')) {
    if (segment === '..') depth--;
    else if (segment !== '' && segment !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

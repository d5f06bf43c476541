import type { IncomingMessage } from 'node:http';

/**
 * Rewrites `Range` into what sirv reads rightly, or drops it, which gives the whole file. sirv takes `-500` for the
 * first 501 bytes and `0-0` for the whole file, ends the process over `5-3`, and knows no `If-Range`: a
 * download that goes on after a flip would be half of one file and half of another.
 */
export function fixRange(
  request: IncomingMessage,
  { size, mtime }: { size: number; mtime: Date },
): void {
  const { headers } = request;
  if (headers.range === undefined) return;
  const condition = headers['if-range'];
  const isSameFile = condition === undefined || condition === mtime.toUTCString();
  const range = isSameFile ? readRange(headers.range, size) : null;
  if (range === null) delete headers.range;
  else headers.range = `bytes=${range.start}-${range.end ?? ''}`;
}

/** `null` for what may be answered with the whole file: several ranges, other units, and what sirv cannot do. */
function readRange(header: string, size: number): { start: number; end: number | null } | null {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!found) return null;
  const [, first = '', last = ''] = found;
  if (first === '') {
    const length = Number(last);
    // The last 0 bytes of a file, or the last of none: a start behind its end, which is answered 416.
    return last === ''
      ? null
      : { start: length === 0 ? size : Math.max(0, size - length), end: null };
  }
  const start = Number(first);
  if (!Number.isSafeInteger(start)) return null;
  if (last === '') return { start, end: null };
  const end = Number(last);
  return end < start || end === 0 ? null : { start, end: Math.min(end, Math.max(size - 1, start)) };
}

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_INTERVAL_MS = 200;

/** Where a followed file is now; a build's log moves when the build ends, and the next build has another. */
export type Locate = () => Promise<string | null>;

interface Place {
  path: string;
  inode: number;
  size: number;
}

/**
 * Calls back with each line that is written from now on, for ever. A file that becomes shorter, or another
 * one, is read from its start: logs get rotated, and builds follow each other.
 */
export async function followFile(locate: Locate, onLine: (line: string) => void): Promise<never> {
  let known = await find(locate);
  let offset = known?.size ?? 0;
  let rest = '';
  for (;;) {
    await delay(LOOK_INTERVAL_MS);
    const now = await find(locate);
    if (!now) continue;
    if (now.inode !== known?.inode || now.size < offset) {
      offset = 0;
      rest = '';
    }
    known = now;
    if (now.size === offset) continue;
    const parts = (rest + (await readPart(now.path, offset, now.size))).split('\n');
    rest = parts.pop() as string;
    for (const line of parts) onLine(line);
    offset = now.size;
  }
}

async function find(locate: Locate): Promise<Place | null> {
  const path = await locate().catch(() => null);
  const found = path === null ? null : await stat(path).catch(() => null);
  return found && path !== null ? { path, inode: found.ino, size: found.size } : null;
}

async function readPart(path: string, start: number, size: number): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path, { start, end: size - 1 })) chunks.push(chunk);
  } catch {
    // Moved between the two looks; the next one finds it.
  }
  return Buffer.concat(chunks).toString('utf8');
}

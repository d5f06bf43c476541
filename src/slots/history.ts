import { type FileHandle, open, readFile } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { messageOf, SlotsError } from '../errors.ts';
import type { SitePaths } from './paths.ts';
import { setAside } from './set-aside.ts';
import type { LastPromotion } from './state.ts';

/** One finished promotion or rollback. */
export type HistoryEntry = LastPromotion;

/** Durable when it resolves. */
export async function appendHistory(paths: SitePaths, entry: HistoryEntry): Promise<void> {
  const file = await open(paths.history, 'a+');
  try {
    // On the line that a crash has cut short, this entry would be lost with it.
    const start = (await endsInMidLine(file)) ? '\n' : '';
    await file.appendFile(`${start}${JSON.stringify(entry)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function endsInMidLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() !== '\n';
}

/**
 * Oldest first. A line cut short by a crash is passed over: all others are still true.
 *
 * @throws SlotsError `HISTORY_UNREADABLE`
 */
export async function readHistory(paths: SitePaths): Promise<HistoryEntry[]> {
  return (await readLines(paths)).flatMap(parseLine);
}

/** With the newest promotion, whose end the state knows an instant before the history does. */
export function withNewest(history: HistoryEntry[], last: LastPromotion | null): HistoryEntry[] {
  return last === null || history.some(({ id }) => id === last.id) ? history : [...history, last];
}

/**
 * Sets a history aside that cannot be read, or that has lines in it that are no entries, and goes on with
 * those that are.
 *
 * @returns its new name, or `null` when there was nothing to mend
 */
export async function mendHistory(paths: SitePaths, now: Date): Promise<string | null> {
  const lines = await readLines(paths).catch(() => null);
  const entries = lines?.flatMap(parseLine) ?? [];
  const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  if (lines && entries.length === lines.filter((line) => line !== '').length) return null;
  const aside = await setAside(paths.history, now);
  await writeFileAtomic(paths.history, text);
  return aside;
}

async function readLines(paths: SitePaths): Promise<string[]> {
  try {
    return (await readFile(paths.history, 'utf8')).split('\n');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    const what = `cannot read ${paths.history}: ${messageOf(cause)}`;
    throw new SlotsError('HISTORY_UNREADABLE', what, {
      hint: 'the controller sets such a file aside at its start',
      cause,
    });
  }
}

function parseLine(line: string): HistoryEntry[] {
  if (line === '') return [];
  try {
    const entry = JSON.parse(line);
    return typeof entry?.id === 'string' ? [entry as HistoryEntry] : [];
  } catch {
    return [];
  }
}

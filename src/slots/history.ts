import { type FileHandle, open, readFile } from 'node:fs/promises';
import type { SitePaths } from './paths.ts';
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

/** Oldest first. A line cut short by a crash is passed over: all others are still true. */
export async function readHistory(paths: SitePaths): Promise<HistoryEntry[]> {
  const text = await readFile(paths.history, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap(parseLine);
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

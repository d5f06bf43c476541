import { readFile, rm } from 'node:fs/promises';
import { plainText } from '../plain-text.ts';
import { crashFile, type SitePaths } from './paths.ts';

/** A line longer than this tells nobody more, and it goes into state.json. */
const MAX_REASON_CHARS = 500;

/** Forget the crash of an earlier start: it says nothing about the next one. */
export async function clearCrash(paths: SitePaths, id: string): Promise<void> {
  await rm(crashFile(paths, id), { force: true });
}

/** The first line of what killed an instance of this release, or `null` when nothing did. */
export async function readCrash(paths: SitePaths, id: string): Promise<string | null> {
  const text = await readFile(crashFile(paths, id), 'utf8').catch(() => null);
  if (text === null) return null;
  // Node puts the source line and a caret before the message of a syntax error.
  const line = text.split('\n').find((candidate) => /^\w*(Error|Exception)\b.*/.test(candidate));
  return plainText((line ?? text.split('\n')[0] ?? '').slice(0, MAX_REASON_CHARS));
}

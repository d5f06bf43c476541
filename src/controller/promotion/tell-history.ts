import { messageOf } from '../../errors.ts';
import { appendHistory, type HistoryEntry } from '../../slots/history.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Logger } from '../log.ts';

/** Appends to the history. One that cannot be written is no reason to promote nothing: the log has the entry. */
export async function tellHistory(
  paths: SitePaths,
  entry: HistoryEntry,
  log: Logger,
): Promise<void> {
  await appendHistory(paths, entry).catch((error: unknown) => {
    const why = messageOf(error);
    log.error({ event: 'history.failed', entry }, `cannot write history.jsonl: ${why}`);
  });
}

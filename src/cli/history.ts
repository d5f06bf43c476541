import { duration } from '../duration.ts';
import { readHistory, withNewest } from '../slots/history.ts';
import type { SitePaths } from '../slots/paths.ts';
import { EMPTY_STATE, readState } from '../slots/state.ts';
import { ago, cutLines, oneLine, table } from './terminal/format.ts';
import { style } from './terminal/style.ts';

const OUTCOME_STYLES = {
  promoted: 'green',
  'rolled-back': 'yellow',
  failed: 'red',
} as const;

/** `slots history`: what happened, newest last, as in any log. */
export async function history(
  paths: SitePaths,
  options: { json?: boolean; lines: number },
): Promise<void> {
  const { last } = await readState(paths).catch(() => EMPTY_STATE);
  const entries = withNewest(await readHistory(paths), last).slice(-options.lines);
  if (options.json) {
    console.log(JSON.stringify(entries, null, 2));
    return;
  }
  if (entries.length === 0) {
    console.log('nothing has happened yet');
    return;
  }
  const rows = entries.map(
    ({ outcome, release, trigger, finishedAt, durationsMs, stage, error }) => [
      ago(finishedAt),
      style(OUTCOME_STYLES[outcome], outcome),
      release ?? '',
      trigger,
      duration(Object.values(durationsMs).reduce((sum, ms) => sum + ms, 0)),
      error ? `${stage}: ${oneLine(error)}` : '',
    ],
  );
  const text = table(rows);
  // Cut for a person only: a pipe gets all of it.
  console.log(process.stdout.isTTY ? cutLines(text, process.stdout.columns) : text);
}

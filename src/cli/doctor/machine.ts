import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { listReleases } from '../../slots/release.ts';
import { watchedFiles } from '../../slots/source.ts';
import { isNodeNewEnough, MIN_NODE_TEXT } from '../min-node.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

/** A clock before this has lost its battery; slots did not exist yet. */
const SLOTS_BEGAN = Date.parse('2025-01-01T00:00:00Z');

/** So far ahead of the clock a time may be: clocks are set now and then. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Above this part of the limit a growing site, or a second program that watches, reaches it. */
const INOTIFY_TIGHT = 0.5;

const INOTIFY = '/proc/sys/fs/inotify/max_user_watches';

export function checkNode(version = process.version): Check[] {
  if (isNodeNewEnough(version)) return [ok('node', version)];
  const hint = 'install a newer Node, and run `slots` with it';
  return [problem('node', `${version}; slots needs ${MIN_NODE_TEXT} or later`, hint)];
}

/** Releases are kept and pruned by the time in their ids, so a clock that was set back does harm. */
export async function checkClock({ paths, state }: Facts, now = Date.now()): Promise<Check[]> {
  const said = new Date(now).toISOString();
  if (now < SLOTS_BEGAN) {
    return [problem('clock', `it is ${said}, says the clock`, 'set it, and keep it set with NTP')];
  }
  const [newest] = await listReleases(paths);
  const times = [newest?.createdAt, state.last?.finishedAt].filter((time) => time);
  const ahead = times.find((time) => Date.parse(time as string) > now + CLOCK_TOLERANCE_MS);
  if (!ahead) return [ok('clock', said)];
  return [
    problem(
      'clock',
      `it is ${said}, says the clock, and the newest release or promotion is of ${ahead}`,
      'set the clock, or delete the releases from the future: newer ones would be pruned before them',
    ),
  ];
}

/** chokidar holds one watch for each folder and each file. */
export async function checkInotify(
  { paths, config }: Facts,
  limitFile = INOTIFY,
): Promise<Check[]> {
  if (config.usePolling) return [ok('inotify', 'not used: "usePolling" is on')];
  const limit = Number(await readFile(limitFile, 'utf8').catch(() => ''));
  if (!limit) return [ok('inotify', 'this system has no such limit')];
  const files = await watchedFiles(paths.root, config);
  const needed = files.length + new Set(files.map((file) => dirname(file))).size;
  const message = `${needed} watches for ${files.length} files; the limit is ${limit} for all programs of a user`;
  const hint = `sudo sysctl fs.inotify.max_user_watches=${Math.max(524_288, needed * 4)}, or set "usePolling"`;
  if (needed >= limit) return [problem('inotify', message, hint)];
  if (needed > limit * INOTIFY_TIGHT) return [warning('inotify', message, hint)];
  return [ok('inotify', message)];
}

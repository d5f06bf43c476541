import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { watch } from 'chokidar';
import type { Config } from '../../config/schema.ts';
import { readStamp } from '../../slots/source.ts';
import { createWatchedPaths, type WatchConfig } from '../../slots/watched.ts';
import type { Logger } from '../log.ts';

/**
 * How often the files themselves are looked at, in milliseconds, whatever events came: a watch can be lost
 * without a word (a removed root, an exhausted inotify limit, a bind mount).
 */
const RESCAN_INTERVAL_MS = 10_000;

export interface Watcher {
  /** Resolves when every later edit is seen. */
  start(): Promise<void>;
  /** Why edits are seen late only, in one line, or `null`. */
  problem(): string | null;
  close(): Promise<void>;
}

/** @param onChange gets each changed path, relative to the site's root; a rescan that finds something gives `''` */
export function createWatcher(
  root: string,
  config: Config,
  onChange: (path: string) => void,
  log: Logger,
  rescanIntervalMs = RESCAN_INTERVAL_MS,
): Watcher {
  const paths = createWatchedPaths(root, config);
  const report = createErrorReport(log);
  let close = async (): Promise<void> => {};
  return {
    async start() {
      const watcher = watch(nearestExisting(root, paths.roots), {
        ignoreInitial: true,
        usePolling: config.usePolling,
        // A path that is not there yet is waited for in its parent, of which nothing else is of interest.
        ignored: (path) => !paths.concerns(resolve(path)),
      });
      watcher.on('all', (_event, path) => {
        if (paths.has(resolve(path))) onChange(relative(root, path));
      });
      watcher.on('error', report.take);
      await new Promise<void>((ready) => watcher.on('ready', () => ready()));
      const rescan = await startRescan(root, config, onChange, log, rescanIntervalMs);
      close = async () => {
        rescan.stop();
        await watcher.close();
      };
    },
    problem: report.problem,
    close: () => close(),
  };
}

/** Folders to hand to chokidar: a root that is deleted and made again is seen only from its parent (#1278). */
function nearestExisting(root: string, wanted: string[]): string[] {
  const start = wanted.map((path) => {
    let folder = path === root ? root : dirname(path);
    while (!existsSync(folder) && folder !== root) folder = dirname(folder);
    return folder;
  });
  return [...new Set(start)];
}

/** One clear line for the inotify limit, however many watches fail with it. */
function createErrorReport(log: Logger) {
  let problem: string | null = null;
  return {
    problem: () => problem,
    take(error: unknown) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOSPC' && code !== 'EMFILE') {
        log.error({ event: 'watcher.error', code, error: message }, `watching: ${message}`);
        return;
      }
      if (problem !== null) return;
      problem = `too many files to watch (${code}): edits are seen only every ${RESCAN_INTERVAL_MS / 1000} s; raise fs.inotify.max_user_watches or set "usePolling"`;
      log.error({ event: 'watcher.limit', code }, problem);
    },
  };
}

async function startRescan(
  root: string,
  config: WatchConfig,
  onChange: (path: string) => void,
  log: Logger,
  intervalMs: number,
): Promise<{ stop(): void }> {
  let known = await readStamp(root, config);
  let timer: NodeJS.Timeout;
  let stopped = false;
  const look = async () => {
    const found = await readStamp(root, config).catch(() => known);
    if (found !== known) {
      log.debug({ event: 'watcher.rescan' }, 'the watched files changed since the last look');
      onChange('');
    }
    known = found;
    if (!stopped) timer = setTimeout(look, intervalMs);
  };
  timer = setTimeout(look, intervalMs);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

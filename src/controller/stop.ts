import { isForeground } from '../outlive-daemon.ts';
import type { SitePaths } from '../slots/paths.ts';
import { clearOrphans } from './build/orphans.ts';
import type { Logger } from './log.ts';
import type { Store } from './store.ts';

interface Parts {
  paths: SitePaths;
  store: Store;
  log: Logger;
  /** PM2's daemon has died, and whoever is asked for the status has to say so. The state changes no more. */
  onLost(): Promise<void>;
  /** Says good-bye to whoever would wait for this controller. */
  beforeEnd(): Promise<void>;
}

/**
 * PM2 stops with SIGINT and expects the process to end; so does the controller that comes after one that PM2 has lost. The
 * state stays as it is, so that the next controller takes up where this one was; only a build's processes must not outlive it.
 *
 * A daemon that died is seen by its broken channel.
 */
export function stopWithPm2({ paths, store, log, onLost, beforeEnd }: Parts): void {
  let isStopping = false;

  const settle = async () => {
    await store.freeze();
    await clearOrphans(paths, log);
  };

  const stop = async (why: string) => {
    isStopping = true;
    log.info({ event: 'controller.stop', why }, `stopping (${why})`);
    await Promise.all([settle(), beforeEnd()]);
    process.exit(0);
  };

  const lose = async () => {
    // `pm2 kill` tells the apps to end, and closes the channels then.
    if (isStopping) return;
    if (isForeground()) return stop('PM2 is gone');
    const lost = onLost();
    await settle();
    await lost;
    await stop('nothing is left to wait for');
  };

  process.once('SIGINT', () => stop('SIGINT'));
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('disconnect', lose);
}

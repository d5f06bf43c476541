import type { SitePaths } from '../slots/paths.ts';
import { clearOrphans } from './build/orphans.ts';
import type { Logger } from './log.ts';
import type { Store } from './store.ts';

/**
 * PM2 stops with SIGINT and expects the process to end. The state stays as it is, so that the next
 * controller takes up where this one was; only a build's processes must not outlive it. A daemon that
 * died is seen by its broken channel: without it this process would hold the site's lock for ever.
 */
export function stopWithPm2(paths: SitePaths, store: Store, log: Logger): void {
  const stop = async (why: string) => {
    log.info({ event: 'controller.stop', why }, `stopping (${why})`);
    await store.freeze();
    await clearOrphans(paths, log);
    process.exit(0);
  };
  process.once('SIGINT', () => stop('SIGINT'));
  process.once('SIGTERM', () => stop('SIGTERM'));
  process.once('disconnect', () => stop('PM2 is gone'));
}

import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { SitePaths } from '../slots/paths.ts';
import type { Slot } from '../slots/slot.ts';
import { instanceSockets } from '../wire/instance-socket.ts';
import { createReleaseFiles } from './cache/release-files.ts';
import type { DataPlane, DataPlaneOptions } from './data-plane.ts';
import { fleetSide } from './fleet/side.ts';
import { tellBadAnswers } from './forward/bad-answers.ts';
import { openKeptFiles } from './skew/kept-files.ts';
import { createDataPlane } from './worker.ts';

export interface SitePlaneParts {
  config: Pick<Config, 'proxy' | 'ports' | 'instances' | 'cache' | 'fleet'>;
  paths: SitePaths;
  log: Logger;
}

/**
 * The data plane of a site as it is on disk.
 *
 * @param own what is different where it listens, or is given connections
 */
export function createSitePlane(
  { config, paths, log }: SitePlaneParts,
  own: Pick<DataPlaneOptions, 'writeLog' | 'hosts' | 'certificates'>,
): DataPlane {
  const socketsOf = (slot: Slot) => instanceSockets(paths.run, slot, config.instances);
  return createDataPlane(config.proxy, config.ports, {
    ...own,
    onFault: (error) =>
      log.error(
        { event: 'worker.fault', error: error.stack },
        'a request was broken off by a fault of ours',
      ),
    onBadAnswer: tellBadAnswers((slot, { message }, more) => {
      const before = more > 0 ? `; ${more} more of ${slot} since the last such line` : '';
      log.warn({ event: 'slot.bad-answer', slot, more }, `${message}: answered 502${before}`);
    }),
    sockets: { blue: socketsOf('blue'), green: socketsOf('green') },
    keptFiles: openKeptFiles(paths),
    cache: config.cache,
    releaseFiles: createReleaseFiles(paths),
    fleet: fleetSide(config.fleet),
  });
}

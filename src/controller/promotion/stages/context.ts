import type { Config } from '../../../config/schema.ts';
import type { Pm2 } from '../../../pm2.ts';
import type { SitePaths } from '../../../slots/paths.ts';
import type { Logger } from '../../log.ts';
import type { Store } from '../../store.ts';
import type { Assigner } from '../../workers/assign.ts';
import type { Workers } from '../../workers/fleet.ts';

/** What the stages of a promotion work with. */
export interface StageContext extends Assigner {
  config: Config;
  paths: SitePaths;
  store: Store;
  workers: Workers;
  pm2: Pm2;
  log: Logger;
}

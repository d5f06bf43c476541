import type { Config } from '../../config/schema.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Logger } from '../log.ts';
import { countPromotion, type Tallies } from '../metrics/tallies.ts';
import type { Store } from '../store.ts';
import { createCommands } from './command.ts';
import { onEnding } from './endings.ts';
import { createNotify } from './send.ts';

export interface AnnounceParts {
  config: Config;
  paths: SitePaths;
  store: Pick<Store, 'state' | 'onChange'>;
  tallies: Tallies;
  log: Logger;
}

/** From here on the end of each promotion is counted, told to whoever `notify` names, and acted on. */
export function announceEndings({ config, paths, store, tallies, log }: AnnounceParts): void {
  const receivers = config.notify.map((target) => createNotify(target, log, tallies.notifications));
  const runCommand = createCommands(config, paths.root, log);
  onEnding(config.name, store, (ending) => {
    countPromotion(tallies, ending);
    for (const notify of receivers) notify(ending);
    runCommand(ending);
  });
}

import type { Config } from '../../config/schema.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Logger } from '../log.ts';
import { countPromotion, type EventCounters } from '../metrics/event-counters.ts';
import type { Store } from '../store.ts';
import { createCommands } from './command.ts';
import { onEnding } from './endings.ts';
import { createNotify } from './send.ts';

export interface AnnounceParts {
  config: Config;
  paths: SitePaths;
  store: Pick<Store, 'state' | 'onChange'>;
  eventCounters: EventCounters;
  log: Logger;
}

/** From here on the end of each promotion is counted, told to whoever `notify` names, and acted on. */
export function announceEndings({ config, paths, store, eventCounters, log }: AnnounceParts): void {
  const receivers = config.notify.map((target) =>
    createNotify(target, log, eventCounters.notifications),
  );
  const runCommand = createCommands(config, paths.root, log);
  onEnding(config.name, store, (ending) => {
    countPromotion(eventCounters, ending);
    for (const notify of receivers) notify(ending);
    runCommand(ending);
  });
}

import type { Config } from '../../config/schema.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Keeper } from '../acme/keeper.ts';
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
  keeper: Pick<Keeper, 'onLate'> | null;
  log: Logger;
}

/** From here on late certificates are told of, and the end of each promotion is counted, told to whoever `notify` names, and acted on. */
export function announceEndings(parts: AnnounceParts): void {
  const { config, paths, store, eventCounters, keeper, log } = parts;
  const receivers = config.notify.map((target) =>
    createNotify(target, log, eventCounters.notifications),
  );
  keeper?.onLate((late) => {
    const notice = { site: config.name, outcome: 'certificate' as const, ...late };
    for (const notify of receivers) notify(notice);
  });
  const runCommand = createCommands(config, paths.root, log);
  onEnding(config.name, store, (ending) => {
    countPromotion(eventCounters, ending);
    for (const notify of receivers) notify(ending);
    runCommand(ending);
  });
}

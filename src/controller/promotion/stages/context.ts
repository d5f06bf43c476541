import type { Config } from '../../../config/schema.ts';
import type { Pm2 } from '../../../pm2.ts';
import type { SitePaths } from '../../../slots/paths.ts';
import type { Building, Candidate, PuttingBack } from '../../../slots/state.ts';
import type { LineFeed } from '../../build/line-feed.ts';
import type { Fleet } from '../../fleet/api.ts';
import type { Logger } from '../../log.ts';
import type { Archive } from '../../skew/archive.ts';
import type { Inbox } from '../../source/inbox.ts';
import type { SourceQuestion } from '../../source/source-question.ts';
import type { Store } from '../../store.ts';
import type { Workers } from '../../workers/fleet.ts';
import type { Step } from '../roles.ts';

/** The parts of the controller that the stages of a promotion use. */
export interface StageContext {
  config: Config;
  paths: SitePaths;
  store: Store;
  workers: Workers;
  pm2: Pm2;
  log: Logger;
  inbox: Inbox;
  source: SourceQuestion;
  /** Hashed files that outlive their releases. */
  archive: Pick<Archive, 'add' | 'tidy' | 'size'>;
  /** Gets each line of a build's output. */
  buildLines: Pick<LineFeed, 'push'>;
  /** Only with `fleet` in the config. */
  fleet?: Fleet | undefined;
}

/** The promotion as each of its steps sees it. */
export interface PromotionBy extends Record<Step, unknown> {
  build: Building;
  start: Candidate;
  check: Candidate;
  flip: Candidate;
  drain: Candidate;
  reload: Candidate;
  'put back': PuttingBack;
}

/**
 * Does what a step is for, and nothing to the state: state.json says already that it is being done.
 *
 * @param signal something more urgent waits; a step that must not be left half done goes on all the same
 */
export type Stage<S extends Step> = (
  context: StageContext,
  promotion: PromotionBy[S],
  signal: AbortSignal,
) => Promise<void>;

import type { Config } from '../../config/schema.ts';
import { plainText } from '../../plain-text.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { readRelease } from '../../slots/release.ts';
import { readSource, readStamp, type Source } from '../../slots/source.ts';
import type { Trigger } from '../../slots/trigger.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store.ts';
import type { BuildReason, Inbox } from './inbox.ts';
import { createLoopGuard } from './loop-guard.ts';

/** Whether what is watched has to be built: asked after each burst of changes, and told of each build. */
export interface SourceQuestion {
  buildReason(trigger: Trigger): Promise<BuildReason>;
  buildBegan(source: Source): void;
  buildEnded(): Promise<void>;
  /** A build was broken off for something more urgent: what it was made of is still to be built. */
  askAgain(): void;
  /** Nothing has failed: after a rollback the same source may be wanted again. */
  promotionSucceeded(): void;
  /** Why changes are not built at the moment, in one line, or `null`. */
  problem(): string | null;
}

interface Parts {
  config: Pick<Config, 'watch'>;
  paths: SitePaths;
  store: Pick<Store, 'state'>;
  log: Logger;
}

export function createSourceQuestion(
  { config, paths, store, log }: Parts,
  inbox: Inbox,
): SourceQuestion {
  /** The source hash of the last build: what failed would fail again, until the files differ. */
  let attempted: string | null = null;
  /** One that was built while the files changed, so that nobody knows what failed. Tried again once. */
  let doubted: string | null = null;
  let begun = '';
  let problem: string | null = null;
  const loops = createLoopGuard();

  /** What visitors see, or will see again when the slot that died is well. */
  async function liveRelease() {
    const { active, failedOverFrom, slots } = store.state;
    const slot = failedOverFrom ?? active;
    const id = slot && slots[slot].release;
    return id ? readRelease(paths, id).catch(() => null) : null;
  }

  return {
    problem: () => problem,

    async buildReason(trigger) {
      const release = await liveRelease();
      const { hash, stamp } = await readSource(paths.root, config.watch);
      if (hash !== release?.sourceHash && loops.isLoop(stamp)) {
        // Each later look finds the loop again, and has no file to name.
        if (problem === null) {
          problem = loopProblem(inbox.changes());
          log.error({ event: 'watcher.loop' }, problem);
        }
        return null;
      }
      if (hash !== release?.sourceHash) {
        return trigger === 'edit' && hash === attempted ? null : 'changed';
      }
      attempted = null;
      // Written and put back while the build read: nobody knows which of the two is inside. Once only, or a
      // build that writes into a watched folder would start itself for ever.
      return release.unsettled && release.trigger !== 'unsettled' ? 'unsettled' : null;
    },

    buildBegan({ hash, stamp }) {
      attempted = hash;
      begun = stamp;
      problem = null;
      loops.began(stamp);
    },

    async buildEnded() {
      const stamp = await readStamp(paths.root, config.watch);
      loops.ended(stamp);
      if (stamp === begun || attempted === doubted) return;
      // The build may have read what is put back by now: that it fails would say nothing about the source as it is.
      doubted = attempted;
      attempted = null;
    },

    promotionSucceeded() {
      attempted = null;
    },

    askAgain() {
      attempted = null;
      inbox.lookForChanges('edit');
    },
  };
}

function loopProblem([file = 'some file']: string[]): string {
  return `each build changes what is watched (${plainText(file)}) and so starts the next: none is begun until something else changes; leave it out of "watch", or write it elsewhere`;
}

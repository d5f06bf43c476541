import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { plainText } from '../../plain-text.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { readRelease } from '../../slots/release.ts';
import { readSiteWrites } from '../../slots/site-writes.ts';
import type { Source } from '../../slots/source.ts';
import type { Trigger } from '../../slots/trigger.ts';
import type { WatchConfig } from '../../slots/watched.ts';
import type { Logger } from '../log.ts';
import { liveRelease } from '../promotion/roles.ts';
import type { Store } from '../store.ts';
import { type BuildSource, openSource } from './build-source.ts';
import {
  type BuildReason,
  type Decision,
  decide,
  forgetAttempt,
  type SourceState,
  writtenPaths,
} from './decide.ts';
import type { Inbox } from './inbox.ts';
import { watchReleaseWrites } from './release-writes.ts';
import type { ChangedFile } from './unseen.ts';

/** Asks whether what is watched has to be built, after each burst of changes, and remembers each build. */
export interface SourceQuestion extends BuildSource {
  buildReason(trigger: Trigger): Promise<BuildReason | null>;
  /** A build was broken off for something more urgent: what it was made of is still to be built. */
  askAgain(): void;
  /** Nothing has failed: after a rollback the same source may be wanted again. */
  promotionSucceeded(): void;
  /** The last build became this release. */
  builtAs(release: string): void;
  /** The last build wrote what this release holds, which is live, and became none. */
  leftOut(live: string): void;
  /**
   * What the last build read differently than the one that became this release, or what somebody has written anew; `null` when
   * nobody remembers that one.
   */
  changedSince(release: string): Promise<ChangedFile[] | null>;
  /** The files (path → digest) that a release was built from, or `null` when nobody remembers. */
  filesOf(release: string): Record<string, string> | null;
  /** The watched files as they are now. */
  read(): Promise<Source>;
  /** What became of the last edit, in one line, where nobody would see it otherwise; or `null`. */
  note(): string | null;
  /** Why some changes are not built, in one line, or `null`. */
  problem(): string | null;
}

interface Parts {
  config: WatchConfig & Pick<Config, 'entry'>;
  paths: SitePaths;
  store: Pick<Store, 'state'>;
  log: Logger;
}

export function createSourceQuestion(
  { config, paths, store, log }: Parts,
  inbox: Inbox,
): SourceQuestion {
  let stopped: string | null = null;
  let note: string | null = null;
  /** By release, the source that it was built from; of those that a slot may hold. */
  const builtFrom = new Map<string, SourceState>();
  const releaseWrites = watchReleaseWrites(paths, config, store, log);
  const siteWrites = async () => (await readSiteWrites(paths)).site;
  const opened = openSource(config, paths, siteWrites, (files) => {
    log.warn({ event: 'watcher.learnt', files }, writtenByBuilds(files));
  });
  let written: readonly string[] = [];
  opened.then(
    (source) => {
      written = [...source.memory.written].sort();
    },
    // A failure to open is met where it is awaited.
    () => {},
  );

  async function readLive() {
    const id = liveRelease(store.state);
    return id ? readRelease(paths, id).catch(() => null) : null;
  }

  function tell(decision: Decision): void {
    if (decision.build !== null || decision.why !== 'self-made') return;
    // Each later look finds the same again.
    if (stopped !== null) return;
    stopped =
      decision.by === 'build' ? writtenByBuilds(decision.files) : writtenBySite(decision.files);
    log.error(
      { event: 'watcher.loop', by: decision.by, files: decision.files.slice(0, 20) },
      stopped,
    );
  }

  return {
    problem: () =>
      stopped ?? releaseWrites.problem() ?? (written.length > 0 ? writtenByBuilds(written) : null),

    async buildReason(trigger) {
      const source = await opened;
      const [live, found] = [await readLive(), await source.read()];
      const look = {
        trigger,
        source: found,
        live,
        siteWrites: await siteWrites(),
        now: performance.now(),
      };
      const decision = decide(source.memory, look);
      if (decision.build === null && decision.why === 'live') {
        source.memory = forgetAttempt(source.memory);
      }
      tell(decision);
      return decision.build;
    },

    builtAs(release) {
      const { blue, green } = store.state.slots;
      for (const id of builtFrom.keys()) {
        if (id !== blue.release && id !== green.release) builtFrom.delete(id);
      }
      void opened.then(({ memory }) => {
        if (memory.begun) builtFrom.set(release, memory.begun);
      });
    },

    leftOut(live) {
      note = `the last edit was built, and changes nothing that is live: ${live} stays, and nothing was promoted`;
      log.info({ event: 'build.same', release: live }, note);
    },

    async changedSince(release) {
      const from = builtFrom.get(release);
      const { begun } = (await opened).memory;
      if (!from || !begun) return null;
      return writtenPaths(from, begun).map((path) => namesOf(resolve(paths.root, path)));
    },

    filesOf(release) {
      const files = builtFrom.get(release)?.byPath;
      return files
        ? Object.fromEntries([...files].map(([path, { digest }]) => [path, digest]))
        : null;
    },

    read: async () => (await opened).read(),

    note: () => note,

    async begin() {
      stopped = null;
      note = null;
      return (await opened).begin();
    },

    async end() {
      const source = await opened;
      const built = await source.end();
      written = [...source.memory.written].sort();
      return built;
    },

    promotionSucceeded() {
      void opened.then((source) => {
        source.memory = forgetAttempt(source.memory);
      });
    },

    askAgain() {
      void opened.then((source) => {
        source.memory = forgetAttempt(source.memory);
        inbox.lookForChanges('edit');
      });
    },
  };
}

/** As it is watched, and behind links. */
function namesOf(path: string): string[] {
  try {
    return [...new Set([path, realpathSync(path)])];
  } catch {
    return [path];
  }
}

const SHOWN = 3;

function named(files: readonly string[]): string {
  const shown = files.slice(0, SHOWN).map(plainText).join(', ');
  if (files.length === 0) return 'some file';
  return files.length > SHOWN ? `${shown} and ${files.length - SHOWN} more` : shown;
}

function writtenByBuilds(files: readonly string[]): string {
  return `each build changes what is watched (${named(files)}): that alone starts no build; name it in "ignore", or let the build write elsewhere`;
}

function writtenBySite(files: readonly string[]): string {
  return `the site itself changes what is watched (${named(files)}): that alone starts no more promotions; name it in "ignore", or its folder in "shared"`;
}

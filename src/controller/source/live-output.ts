import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import type { Pm2 } from '../../pm2.ts';
import { releaseDir, type SitePaths } from '../../slots/paths.ts';
import { type Release, readRelease } from '../../slots/release.ts';
import { readSiteReads } from '../../slots/site-reads.ts';
import type { Trigger } from '../../slots/trigger.ts';
import { isSameOutput } from '../build/same-output.ts';
import type { Store } from '../store.ts';
import type { SourceQuestion } from './source-question.ts';
import { mayDrop } from './unseen.ts';

interface Parts {
  config: Config;
  paths: SitePaths;
  store: Pick<Store, 'state'>;
  pm2: Pick<Pm2, 'instances'>;
  source: Pick<SourceQuestion, 'changedSince'>;
}

/**
 * The release that visitors see, where a build has written the same again and nobody could see a difference; else `null`.
 *
 * @param outDir the output, which is no release yet
 */
export async function sameAsLive(
  { config, paths, store, pm2, source }: Parts,
  trigger: Trigger,
  built: Release,
  outDir: string,
): Promise<string | null> {
  const { active, failedOverFrom, slots } = store.state;
  const id = active && slots[active].release;
  if (!id || failedOverFrom !== null || built.unsettled) return null;
  const live = await readRelease(paths, id).catch(() => null);
  if (live === null || live.unsettled || !isStartedAlike(live, built)) return null;
  const may = mayDrop({
    trigger,
    changed: await source.changedSince(id),
    reads: await readSiteReads(paths, id),
    pids: (await pm2.instances(appName(config, active))).map(({ pid }) => pid),
    envFiles: config.envFiles.map((file) => resolve(paths.root, file)),
    hasNodeArgs: config.nodeArgs.length > 0 || hasNodeOptions(config),
  });
  return may && (await isSameOutput(join(releaseDir(paths, id), 'dist'), outDir)) ? id : null;
}

function hasNodeOptions({ env }: Config): boolean {
  return Boolean(env.NODE_OPTIONS ?? process.env.NODE_OPTIONS);
}

function isStartedAlike(live: Release, built: Release): boolean {
  const parts = ({ entry, fallback, client, deps }: Release) => [entry, fallback, client, deps];
  return isDeepStrictEqual(parts(live), parts(built));
}

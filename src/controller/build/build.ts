import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { linkDeps } from '../../slots/deps.ts';
import type { SitePaths } from '../../slots/paths.ts';
import {
  completeRelease,
  createPartial,
  currentCommit,
  deletePartial,
  freeReleaseId,
  type Release,
} from '../../slots/release.ts';
import { readSource, readStamp, type Source } from '../../slots/source.ts';
import type { Trigger } from '../../slots/trigger.ts';
import { installs, prepareDependencies } from './dependencies.ts';
import { buildEnvironment } from './environment.ts';
import { endBuildProcesses } from './orphans.ts';
import { checkOutput, copyOutput } from './output.ts';
import { createRedactor } from './redact.ts';
import { runCommand } from './run-command.ts';

export interface BuildOrder {
  trigger: Trigger;
  /** Watched files that changed, relative to the site's root. */
  changed: string[];
  signal: AbortSignal;
  /** The release's id is known from here on, and the source that is built. */
  onNamed(id: string, source: Source): Promise<void> | void;
  /** One line of the build's output, without colours. */
  onLine(line: string): void;
}

/**
 * Builds the site into a release of its own.
 *
 * @throws SlotsError `BUILD_FAILED`, `BUILD_TIMEOUT`, `BUILD_CANCELED` or `BUILD_EMPTY`; of the attempt only
 * its log is left then, as `failed-build.log`
 */
export async function buildRelease(
  config: Config,
  paths: SitePaths,
  order: BuildOrder,
): Promise<Release> {
  const source = await readSource(paths.root, config.watch);
  const createdAt = new Date();
  const id = await freeReleaseId(paths, source.hash, createdAt);
  await order.onNamed(id, source);
  const dir = await createPartial(paths, id);
  const outDir = join(dir, 'dist');
  try {
    const started = performance.now();
    const deps = await fillOutput(config, paths, dir, order);
    await checkOutput(config, outDir);
    const release: Release = {
      id,
      createdAt: createdAt.toISOString(),
      trigger: order.trigger,
      changed: order.changed,
      commit: await currentCommit(paths.root),
      buildMs: Math.round(performance.now() - started),
      sourceHash: source.hash,
      entry: config.entry,
      ...(config.fallback !== undefined && { fallback: config.fallback }),
      ...(deps !== null && { deps }),
      unsettled: (await readStamp(paths.root, config.watch)) !== source.stamp,
    };
    await completeRelease(paths, release);
    return release;
  } catch (error) {
    await endBuildProcesses(dir);
    await rename(join(dir, 'build.log'), paths.failedBuildLog).catch(() => {});
    await deletePartial(paths, id);
    throw error;
  }
}

/** @returns the key of the dependencies that the release has of its own, or `null` */
async function fillOutput(
  config: Config,
  paths: SitePaths,
  dir: string,
  { signal, onLine }: BuildOrder,
): Promise<string | null> {
  const outDir = join(dir, 'dist');
  const env = buildEnvironment(process.env, config.env, outDir);
  const redact = createRedactor(config.env, process.env);
  const run = { env, dir, timeoutMs: config.buildTimeoutMs, signal, redact, onLine };
  const own = installs(config) ? await prepareDependencies(config, paths, run) : null;
  // Before the build: frameworks run parts of their output while they build it.
  if (own) await linkDeps(dir, own.key);
  const cwd = own?.dir ?? paths.root;
  if (config.build !== false) {
    await runCommand({ ...run, what: 'build', command: config.build, cwd });
  }
  await copyOutput(config, cwd, outDir);
  return own?.key ?? null;
}

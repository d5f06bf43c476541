import { appendFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { messageOf } from '../../errors.ts';
import { linkDeps } from '../../slots/deps.ts';
import { readEnvFiles } from '../../slots/env-files.ts';
import type { SitePaths } from '../../slots/paths.ts';
import {
  completeRelease,
  createPartial,
  currentCommit,
  deletePartial,
  freeReleaseId,
  listReleases,
  type Release,
} from '../../slots/release.ts';
import { type SharedKeys, sharedKeys } from '../../slots/secrets.ts';
import type { Trigger } from '../../slots/trigger.ts';
import type { BuildSource } from '../source/build-source.ts';
import { presentFolders } from './client-folders.ts';
import { runCommand } from './command.ts';
import { installs, prepareDependencies } from './dependencies.ts';
import { buildEnvironment } from './environment.ts';
import { endBuildProcesses } from './orphans.ts';
import { checkOutput, copyOutput } from './output.ts';
import { removeOwnFiles } from './own-files.ts';
import { createRedactor } from './redact.ts';
import { linkShared } from './shared.ts';
import { growthComplaint, sizeOf } from './size.ts';

export interface BuildOrder {
  trigger: Trigger;
  /** Watched files that changed, relative to the site's root. */
  changed: string[];
  signal: AbortSignal;
  /** Asked once before the command is run and once after it, however it ended. */
  source: BuildSource;
  /** The release's id is known from here on. */
  onNamed(id: string): Promise<void> | void;
  /** One line of the build's output, without colours. */
  onLine(line: string): void;
  /** Something is wrong with a release that is good enough to serve, in one line. */
  onNotice(text: string): void;
}

/** A build whose output need not become a release. */
export interface SparingOrder extends BuildOrder {
  /** Whether it need not, since it is what visitors see already. */
  isLive(release: Release, outDir: string): Promise<boolean>;
}

/**
 * Builds the site into a release of its own.
 *
 * @throws SlotsError `BUILD_FAILED`, `BUILD_TIMEOUT`, `BUILD_CANCELED` or `BUILD_EMPTY`; of the attempt only
 * its log is left then, as `failed-build.log`
 * @returns `null` when the output is live already: nothing is left of the build
 */
export function buildRelease(
  config: Config,
  paths: SitePaths,
  order: SparingOrder,
): Promise<Release | null>;
export function buildRelease(config: Config, paths: SitePaths, order: BuildOrder): Promise<Release>;
export async function buildRelease(
  config: Config,
  paths: SitePaths,
  order: BuildOrder | SparingOrder,
): Promise<Release | null> {
  const source = await order.source.begin();
  const createdAt = new Date();
  const id = await freeReleaseId(paths, source.hash, createdAt);
  await order.onNamed(id);
  const dir = await createPartial(paths, id);
  const started = performance.now();
  const deps = await fillOutput(config, paths, dir, order).catch(async (error) => {
    await order.source.end();
    await giveUp(paths, id, dir);
    throw error;
  });
  try {
    const buildMs = Math.round(performance.now() - started);
    const built = await order.source.end();
    const release: Release = {
      id,
      createdAt: createdAt.toISOString(),
      trigger: order.trigger,
      changed: order.changed,
      commit: await currentCommit(paths.root),
      buildMs,
      sourceHash: source.hash,
      entry: config.entry,
      ...(config.fallback !== undefined && { fallback: config.fallback }),
      client: await presentFolders(config.client, join(dir, 'dist')),
      size: { release: await sizeOf(join(dir, 'dist')), source: source.bytes },
      ...(deps !== null && { deps }),
      ...built,
    };
    if ('isLive' in order && (await order.isLive(release, join(dir, 'dist')))) {
      await deletePartial(paths, id);
      return null;
    }
    await tellGrowth(paths, dir, release, order);
    await completeRelease(paths, release);
    return release;
  } catch (error) {
    await giveUp(paths, id, dir);
    throw error;
  }
}

async function giveUp(paths: SitePaths, id: string, dir: string): Promise<void> {
  await endBuildProcesses(dir);
  await rename(join(dir, 'build.log'), paths.failedBuildLog).catch(() => {});
  await deletePartial(paths, id);
}

/** @returns the key of the dependencies that the release has of its own, or `null` */
async function fillOutput(
  config: Config,
  paths: SitePaths,
  dir: string,
  order: BuildOrder,
): Promise<string | null> {
  const { signal, onLine } = order;
  const outDir = join(dir, 'dist');
  const inFiles = readEnvFiles(paths.root, config.envFiles);
  const keys = await keysFor(config, paths, dir, order);
  const env = { ...keys, ...inFiles, ...buildEnvironment(process.env, config.env, outDir) };
  const redact = createRedactor({ ...keys, ...inFiles, ...config.env }, process.env);
  const run = { env, dir, timeoutMs: config.buildTimeoutMs, signal, redact, onLine };
  const own = installs(config) ? await prepareDependencies(config, paths, run) : null;
  // Before the build: frameworks run parts of their output while they build it.
  if (own) await linkDeps(dir, own.key);
  const cwd = own?.dir ?? paths.root;
  if (config.build !== false) {
    await runCommand({ ...run, what: 'build', command: config.build, cwd });
  }
  const left = await copyOutput(config, paths, cwd, outDir);
  const removed = [...left.own, ...(await removeOwnFiles(paths, outDir))];
  if (removed.length > 0) await tell(dir, order, leftOut(removed));
  if (left.dangling.length > 0) {
    await tell(dir, order, `left out, since it leads nowhere: the link ${listed(left.dangling)}`);
  }
  await checkOutput(config, outDir);
  await linkShared(config, paths, outDir);
  return own?.key ?? null;
}

/** A build without them is as good as any: its pages only cannot call the server of the next. */
async function keysFor(
  { skew }: Config,
  paths: SitePaths,
  dir: string,
  order: BuildOrder,
): Promise<SharedKeys> {
  if (skew === false) return {};
  try {
    return await sharedKeys(paths);
  } catch (error) {
    await tell(dir, order, `the build gets no keys of its own: ${messageOf(error)}`);
    return {};
  }
}

const SHOWN = 5;

function listed(paths: string[]): string {
  const names = [...new Set(paths)];
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
  return names.slice(0, SHOWN).join(', ') + more;
}

function leftOut(removed: string[]): string {
  return `left out of the release, since it belongs to slots: ${listed(removed)}; the build copied it, as tracing of a path below the working folder does`;
}

async function tellGrowth(
  paths: SitePaths,
  dir: string,
  release: Release,
  order: BuildOrder,
): Promise<void> {
  const before = (await listReleases(paths)).find(({ size }) => size !== undefined);
  if (!before?.size || !release.size) return;
  const complaint = growthComplaint(before.size, release.size);
  if (complaint !== null) await tell(dir, order, complaint);
}

/** In the build's own log too, where one looks for what a build has done. */
async function tell(dir: string, { onLine, onNotice }: BuildOrder, text: string): Promise<void> {
  await appendFile(join(dir, 'build.log'), `[slots] ${text}\n`);
  onLine(`[slots] ${text}`);
  onNotice(text);
}

import { createWriteStream } from 'node:fs';
import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import {
  completeRelease,
  createPartial,
  currentCommit,
  deletePartial,
  freeReleaseId,
  type Release,
} from '../slots/release.ts';
import { readSource, readStamp } from '../slots/source.ts';
import { commandOf } from './build-command.ts';
import { buildEnvironment } from './build-environment.ts';
import { buildReason } from './build-reason.ts';
import { endBuildProcesses } from './orphans.ts';

/** How long a build's processes may take to end by themselves once they are told to, in milliseconds. */
const KILL_DELAY_MS = 3000;

/** A line longer than this is cut in memory; build.log has it whole. */
const MAX_LINE_CHARS = 2000;

/** So many of the output's last lines are looked through for the reason of a failure. */
const REASON_LINES = 400;

export interface BuildOrder {
  trigger: string;
  /** Watched files that changed, relative to the site's root. */
  changed: string[];
  signal: AbortSignal;
  /** The release's id is known from here on, and the hash of the source that is built. */
  onNamed(id: string, sourceHash: string): Promise<void> | void;
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
  await order.onNamed(id, source.hash);
  const dir = await createPartial(paths, id);
  const outDir = join(dir, 'dist');
  try {
    const started = performance.now();
    await runBuild(config, paths.root, dir, order);
    await checkOutput(outDir, config.entry);
    const release: Release = {
      id,
      createdAt: createdAt.toISOString(),
      trigger: order.trigger,
      changed: order.changed,
      commit: await currentCommit(paths.root),
      buildMs: Math.round(performance.now() - started),
      sourceHash: source.hash,
      entry: config.entry,
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

async function runBuild(
  config: Config,
  root: string,
  dir: string,
  order: BuildOrder,
): Promise<void> {
  if (order.signal.aborted) throw canceled();
  const outDir = join(dir, 'dist');
  const { file, args, shell } = commandOf(config.build, outDir);
  // `all` would be buffered in memory without `buffer: false`; a build may print hundreds of megabytes.
  const build = execa(file, args, {
    cwd: root,
    shell,
    env: buildEnvironment(process.env, config.env, outDir),
    extendEnv: false,
    preferLocal: true,
    localDir: root,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    // A shell's or npm's children outlive it otherwise, and the promise with them (sindresorhus/execa #96).
    killDescendants: true,
    forceKillAfterDelay: KILL_DELAY_MS,
    timeout: config.buildTimeoutMs,
    cancelSignal: order.signal,
  });
  const log = createWriteStream(join(dir, 'build.log'));
  const logged = finished(log).catch((error: Error) => error);
  // A pipe that breaks, on a full disk for instance, stops its source and the build with it.
  log.on('error', () => build.all.resume());
  build.all.pipe(log);
  const stopEscaped = endEscaped(dir, order.signal, config.buildTimeoutMs);
  const tail: string[] = [];
  for await (const raw of createInterface({ input: build.all, crlfDelay: Infinity })) {
    const line = stripVTControlCharacters(raw.slice(0, MAX_LINE_CHARS)).trim();
    if (line === '') continue;
    tail.push(line);
    if (tail.length > REASON_LINES) tail.shift();
    order.onLine(line);
  }
  const result = await build;
  stopEscaped();
  const logError = await logged;
  if (!result.failed) {
    if (logError)
      throw new SlotsError('BUILD_FAILED', `cannot write build.log: ${logError.message}`);
    return;
  }
  if (result.isCanceled) throw canceled();
  if (result.timedOut) {
    throw new SlotsError(
      'BUILD_TIMEOUT',
      `the build was still running after ${config.buildTimeoutMs} ms and was killed`,
      { hint: 'raise "buildTimeoutMs", or see why the build hangs' },
    );
  }
  const detail = buildReason(tail, root);
  throw new SlotsError('BUILD_FAILED', `${howItEnded(result)}${detail && `: ${detail}`}`, {
    hint: '`slots logs build` shows its output',
  });
}

/**
 * Ends what a canceled build or one out of time has left in a process group of its own, which execa's
 * signals do not reach: its hold on the build's output would keep the build from ever ending.
 */
function endEscaped(dir: string, canceled: AbortSignal, timeoutMs: number): () => void {
  let timer: NodeJS.Timeout;
  const endIn = (ms: number) => {
    clearTimeout(timer);
    timer = setTimeout(() => void endBuildProcesses(dir), ms + KILL_DELAY_MS);
  };
  const onCancel = () => endIn(0);
  endIn(timeoutMs);
  canceled.addEventListener('abort', onCancel);
  return () => {
    clearTimeout(timer);
    canceled.removeEventListener('abort', onCancel);
  };
}

function canceled(): SlotsError {
  return new SlotsError('BUILD_CANCELED', 'the build was canceled');
}

function howItEnded(result: {
  exitCode?: number;
  signal?: string;
  originalMessage?: string;
}): string {
  if (result.signal) return `the build was ended by ${result.signal}`;
  if (result.exitCode !== undefined) return `the build exited with code ${result.exitCode}`;
  return `the build could not be started: ${result.originalMessage ?? 'unknown reason'}`;
}

async function checkOutput(outDir: string, entry: string): Promise<void> {
  const files = await readdir(outDir).catch(() => []);
  if (files.length === 0) {
    throw new SlotsError(
      'BUILD_EMPTY',
      'the build succeeded but wrote nothing to its output folder',
      {
        hint: 'it must write to {outDir}, which is also in SLOTS_OUT_DIR',
      },
    );
  }
  const found = await stat(join(outDir, entry)).catch(() => null);
  if (!found?.isFile()) {
    throw new SlotsError('BUILD_EMPTY', `the build succeeded but wrote no ${entry}`, {
      hint: `set "entry" to the server's file; the output has ${files.slice(0, 8).join(', ')}`,
    });
  }
}

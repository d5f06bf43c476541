/**
 * One process of a slot: loads the site's entry from the release that the slot points to.
 *
 * PM2 keeps the script and the folder of an app for ever (Unitech/pm2 #3742), so they are this file and
 * the site's root, and only the slot's symlink changes. It also leaves an ESM entry that throws `online`
 * (#5409), so this file ends the process instead.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tellAskedPort } from '../slots/asked-ports.ts';
import { ENV_FILES_VARIABLE, readEnvFiles } from '../slots/env-files.ts';
import { slotRelease } from '../slots/link.ts';
import { crashFile, readsFile, releaseDir, sitePaths, writesFile } from '../slots/paths.ts';
import { readSharedKeys, SHARED_KEYS_VARIABLE } from '../slots/secrets.ts';
import { siteRoot } from '../slots/site-root.ts';
import { NO_RELEASE_EXIT_CODE, type Slot } from '../slots/slot.ts';
import { instanceSocket } from '../wire/instance-socket.ts';
import { finishOnSignal } from './finish.ts';
import { listenForSlot } from './listen.ts';
import { watchOpenFiles } from './open-files.ts';
import { answerProbes } from './probe-answer.ts';
import { recordReads } from './record-reads.ts';
import { recordWrites } from './record-writes.ts';
import { releaseEntry } from './release-entry.ts';
import { runEntry } from './run-entry.ts';
import { serveOn } from './serve-on.ts';

/** Of an instance that PM2 restarts as an earlier version of slots had defined it. */
const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;

const paths = sitePaths(siteRoot(process.env.SLOTS_ROOT as string));
const slot = process.env.SLOTS_SLOT as Slot;
const drainTimeoutMs = Number(process.env.SLOTS_DRAIN_TIMEOUT_MS ?? DEFAULT_DRAIN_TIMEOUT_MS);

const id = await slotRelease(paths, slot);
if (id === null) process.exit(NO_RELEASE_EXIT_CODE);

const crash = crashFile(paths, id);
process.on('uncaughtExceptionMonitor', tell);

try {
  const dir = releaseDir(paths, id);
  takeVariables();
  const entry = releaseEntry(dir);
  answerProbes(id);
  const { onServing, isLost, leave } = serveOn(paths, slot, isActive);
  finishOnSignal({ isActive, drainTimeoutMs, isLost, leave });
  const number = Number(process.env.NODE_APP_INSTANCE ?? 0);
  const address = {
    port: Number(process.env.PORT),
    socket: instanceSocket(paths.run, slot, number),
    onAsked: (port: number) => tellAskedPort(paths, id, port),
    onServing,
  };
  listenForSlot(address);
  const places = { ...paths, dist: join(dir, 'dist') };
  const recorders = [
    recordWrites(writesFile(paths, id), places),
    recordReads(readsFile(paths, id), places),
  ];
  watchOpenFiles((file) => {
    for (const { onOpen } of recorders) onOpen(file);
  });
  await runEntry(join(dir, 'dist'), entry, paths.slots);
  rmSync(crash, { force: true });
} catch (error) {
  tell(error as Error);
  console.error(error);
  process.exit(1);
}

/** As `node --env-file` does: what the environment has already stays. */
function takeVariables(): void {
  const files = JSON.parse(process.env[ENV_FILES_VARIABLE] ?? '[]');
  // Read here, since PM2 shows the environment that it starts a process with.
  const keys = process.env[SHARED_KEYS_VARIABLE] === 'off' ? {} : readSharedKeys(paths);
  const variables = { ...keys, ...readEnvFiles(paths.root, files) };
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}

/** Reads synchronously and checks no shape: this process is about to end, whatever the file holds. */
function isActive(): boolean {
  try {
    return JSON.parse(readFileSync(paths.state, 'utf8')).active === slot;
  } catch {
    return false;
  }
}

/** Keeps the reason for `status`. A deleted release has no folder for crash.txt; the process ends anyway. */
function tell(error: Error): void {
  try {
    // Whole or not at all: the controller asks for it every few milliseconds.
    const first = `${crash}.${process.pid}`;
    writeFileSync(first, String(error?.stack ?? error));
    renameSync(first, crash);
  } catch {
    // The app's log has the printed error.
  }
}

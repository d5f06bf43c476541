/** What a controller does whose PM2 daemon has died: it sees to it that there is one again, and that it runs the site. */
import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { daemonAnswers, isCommandRunning } from '../pm2-daemon.ts';
import type { SitePaths } from '../slots/paths.ts';
import type { Logger } from './log.ts';

const BIN = fileURLToPath(new URL('../../bin/slots.js', import.meta.url));

/** Time for whoever looks after PM2 (systemd, a person) has to start it again, in milliseconds, before we do. */
const GRACE_MS = 3000;

/** Time for whoever started it has to start our apps too, with `pm2 resurrect` for instance, in milliseconds. */
const THEIR_APPS_MS = 5000;

/** Pauses after an attempt that failed, in milliseconds: the first, and the longest. */
const RETRY_MS = { first: 5000, longest: 60_000 };

const LOOK_INTERVAL_MS = 100;

/** What `status` says meanwhile. */
export const PM2_GONE =
  "PM2's daemon has died: the site is served by the processes it left, and PM2 is started again";

/**
 * Starts the daemon and the site's apps again, as `slots up` does, until the controller that runs under it ends this one by
 * SIGINT. Returns when the site has been removed.
 *
 * @param env what the daemon had been started with (`daemonEnvironment`)
 */
export async function bringPm2Back(
  paths: SitePaths,
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<void> {
  log.error({ event: 'pm2.gone' }, PM2_GONE);
  await Promise.race([untilRemoved(paths), tryAgainAndAgain(paths, env, log)]);
}

async function untilRemoved({ slots }: SitePaths): Promise<void> {
  while (existsSync(slots)) await delay(LOOK_INTERVAL_MS);
}

async function tryAgainAndAgain(
  paths: SitePaths,
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<never> {
  let pauseMs = RETRY_MS.first;
  for (;;) {
    if (await untilDaemonAnswers(GRACE_MS)) await delay(THEIR_APPS_MS);
    // Two apps of one name would be the end of what another command is starting.
    while (isCommandRunning()) await delay(LOOK_INTERVAL_MS);
    const exitCode = await slotsUp(paths.root, env);
    if (exitCode !== 0) {
      const what = `slots up has failed, again in ${pauseMs / 1000} s`;
      log.error({ event: 'pm2.return-failed', exitCode }, what);
    }
    await delay(pauseMs);
    pauseMs = Math.min(2 * pauseMs, RETRY_MS.longest);
  }
}

/** Runs `slots up` in a process that outlives this one, and says its exit code. */
function slotsUp(root: string, env: NodeJS.ProcessEnv): Promise<number | null> {
  const output = openLog();
  const child = spawn(process.execPath, [BIN, '-C', root, 'up', '--return', String(process.pid)], {
    cwd: root,
    env,
    detached: true,
    stdio: ['ignore', output, output],
  });
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
}

/** PM2's file of this app, which `slots logs watcher` shows: it goes on after this process's end. */
function openLog(): number | 'ignore' {
  const file = process.env.pm_out_log_path;
  try {
    return file ? openSync(file, 'a') : 'ignore';
  } catch {
    return 'ignore';
  }
}

async function untilDaemonAnswers(ms: number): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (performance.now() < deadline) {
    if (await daemonAnswers()) return true;
    await delay(LOOK_INTERVAL_MS);
  }
  return false;
}

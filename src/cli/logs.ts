import { readFile } from 'node:fs/promises';
import { type AppRole, appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2 } from '../pm2.ts';
import { isDaemonRunning } from '../pm2-daemon.ts';
import { newestBuildLog } from '../slots/build-log.ts';
import type { SitePaths } from '../slots/paths.ts';
import { followFile } from './terminal/follow-file.ts';
import { formatLine, LOG_ROLES } from './terminal/log-line.ts';

/** Names that `slots logs` takes. */
export const LOG_NAMES = ['build', ...LOG_ROLES];

interface LogFile {
  role: AppRole | 'build';
  path: string;
}

/** Of an app's log, which grows for ever, the end is meant; of a build's, all of it: the error may come first. */
const APP_LINES = 30;

/** `slots logs`: the last lines of the apps' logs, or the newest build's. */
export async function logs(
  config: Config,
  paths: SitePaths,
  which: string | undefined,
  options: { follow?: boolean; lines?: number },
): Promise<void> {
  const files = which === 'build' ? await buildLog(paths) : await appLogs(config, which);
  for (const file of files) {
    await printLast(file, options.lines ?? (file.role === 'build' ? Infinity : APP_LINES));
  }
  if (options.follow) await Promise.all(files.map((file) => follow(paths, file)));
}

async function appLogs(config: Config, which: string | undefined): Promise<LogFile[]> {
  if (which !== undefined && !LOG_ROLES.includes(which as AppRole)) {
    throw new SlotsError('USAGE', `"${which}" has no log`, {
      hint: `there are build, ${LOG_ROLES.join(', ')}`,
    });
  }
  if (!isDaemonRunning()) throw notUp(config);
  const pm2 = await connectPm2();
  const known = await pm2.all();
  pm2.disconnect();
  const roles = which ? [which as AppRole] : LOG_ROLES;
  const files = roles.flatMap((role) => {
    const instance = known.get(appName(config, role))?.[0];
    if (!instance) return [];
    return [instance.outLog, instance.errorLog].map((path) => ({ role, path }));
  });
  if (files.length === 0) throw notUp(config);
  return files;
}

function notUp(config: Config): SlotsError {
  return new SlotsError('NOT_UP', `PM2 runs no app of ${config.name}`, {
    hint: 'start it with `slots up`',
  });
}

async function buildLog(paths: SitePaths): Promise<LogFile[]> {
  const path = await newestBuildLog(paths);
  if (path === null) throw new SlotsError('NO_BUILD', 'nothing has been built yet');
  return [{ role: 'build', path }];
}

async function printLast({ role, path }: LogFile, count: number): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const last = text.split('\n').filter((line) => line !== '');
  // Of none, `slice(-0)` would be all.
  for (const line of count === 0 ? [] : last.slice(-count)) print(role, line);
}

/** PM2 appends to one file for ever; each build has a file of its own. */
function follow(paths: SitePaths, { role, path }: LogFile): Promise<never> {
  const locate = async () => (role === 'build' ? ((await buildLog(paths))[0]?.path ?? null) : path);
  return followFile(locate, (line) => print(role, line));
}

function print(role: LogFile['role'], line: string): void {
  console.log(role === 'build' ? line : formatLine(role, line));
}

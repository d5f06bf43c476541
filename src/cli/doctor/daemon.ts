import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { promisify } from 'node:util';
import { daemonNode, daemonPid, pm2Home } from '../../pm2-daemon.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { runSocketOwners } from '../../slots/run-socket.ts';
import { VERSION } from '../../version.ts';
import { isNodeNewEnough, MIN_NODE_TEXT } from '../min-node.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

const PARTS = ['pm2', 'http-proxy-3'];

export async function checkDaemon({ daemon, daemonPm2, paths }: Facts): Promise<Check[]> {
  const home = pm2Home();
  if (daemon === 'none') return [await checkOrphans(home, paths)];
  const pid = daemonPid();
  if (daemon === 'silent') {
    const hint = `if that process is no PM2 any more, delete ${home}/pm2.pid; else end it by its pid`;
    return [problem('pm2', `process ${pid} is the daemon of ${home}, and does not answer`, hint)];
  }
  const installed = versionOf('pm2');
  const message = `daemon ${pid} in ${home}, version ${daemonPm2}`;
  if (daemonPm2 === installed) return [ok('pm2', message)];
  const hint = '`slots upgrade` replaces the daemon, and no request fails';
  return [warning('pm2', `${message}; installed is ${installed}`, hint)];
}

async function checkOrphans(home: string, { run }: SitePaths): Promise<Check> {
  const left = (await runSocketOwners(run)).filter(({ isOrphan }) => isOrphan);
  const count = new Set(left.map(({ pid }) => pid)).size;
  if (count === 0) return ok('pm2', `no daemon runs in ${home}; \`slots up\` starts one`);
  const hint = 'the controller starts one within seconds; if it is gone too, `slots up` does';
  const processes = count === 1 ? 'process serves' : 'processes serve';
  return warning('pm2', `the daemon has died; ${count} ${processes} on without it`, hint);
}

/** Cluster apps run on the daemon's Node, whatever the command line runs on. */
export async function checkDaemonNode({ daemon }: Facts): Promise<Check[]> {
  const node = daemon === 'none' ? null : daemonNode();
  if (node === null) return [];
  const { stdout } = await promisify(execFile)(node, ['--version']).catch(() => ({ stdout: '' }));
  const version = stdout.trim();
  const hint = '`slots upgrade` replaces the daemon, and no request fails';
  if (version === '') {
    return [warning('pm2-node', `the daemon's Node is gone from the disk: ${node}`, hint)];
  }
  if (!isNodeNewEnough(version)) {
    return [problem('pm2-node', `${version}; slots needs ${MIN_NODE_TEXT} or later`, hint)];
  }
  if (majorOf(version) === majorOf(process.version)) return [ok('pm2-node', version)];
  return [warning('pm2-node', `the daemon runs on ${version}, this on ${process.version}`, hint)];
}

export function checkVersions({ status, paths }: Facts): Check[] {
  const parts = PARTS.map((part) => `${part} ${versionOf(part) ?? 'missing'}`);
  const missing = PARTS.filter((part) => versionOf(part) === null);
  const message = [`slots ${VERSION}`, ...parts].join(', ');
  const checks: Check[] = [
    missing.length > 0
      ? problem('versions', message, 'install slots again')
      : ok('versions', message),
  ];
  if (status && status.version !== VERSION) {
    const hint = '`slots upgrade` replaces it, and no request fails';
    const what = `the controller of ${paths.root} still runs slots ${status.version}`;
    checks.push(warning('versions', what, hint));
  }
  return checks;
}

function versionOf(part: string): string | null {
  try {
    const file = findPackageJSON(part, import.meta.url);
    return file ? JSON.parse(readFileSync(file, 'utf8')).version : null;
  } catch {
    return null;
  }
}

function majorOf(version: string): string | undefined {
  return version.split('.')[0];
}

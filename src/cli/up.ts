import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type AppRole, appName, apps } from '../config/ecosystem.ts';
import { listenHost } from '../config/listen-host.ts';
import type { Config } from '../config/schema.ts';
import type { Status } from '../controller/admin/status.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { type ProbeAnswer, tryProbe } from '../controller/health/probe.ts';
import { judge } from '../controller/health/verdict.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, daemonNode, isDaemonRunning, type Pm2 } from '../pm2.ts';
import type { SitePaths } from '../slots/paths.ts';
import { runSocketOwners } from '../slots/run-socket.ts';
import { attachLogs } from './attach-logs.ts';
import { callController, followController } from './client.ts';
import { untilControllerAnswers } from './controller-answers.ts';
import { stopApps } from './down.ts';
import { endProcess } from './end-process.ts';
import { isNodeNewEnough, MIN_NODE_TEXT } from './min-node.ts';
import { isEnvironmentStale, renewSlots } from './restart.ts';
import { applyConfig, startedWith } from './running-config.ts';
import { withStartLock } from './start-lock.ts';
import { createProgress } from './terminal/progress.ts';
import { style } from './terminal/style.ts';

/** How long what a dead daemon has left behind may take to end, in milliseconds. */
const ORPHAN_LIMIT_MS = 2000;

const ROLES: AppRole[] = ['watcher', 'blue', 'green', 'proxy'];

const PROXY_TIMEOUT_MS = 20_000;
const LOOK_INTERVAL_MS = 50;

/** `slots up`: starts what does not run yet and waits until visitors get an answer. */
export async function up(
  wanted: Config,
  paths: SitePaths,
  options: { foreground?: boolean },
): Promise<void> {
  const begun = Date.now();
  const ours = { daemon: false, apps: false };
  const connect = async () => {
    ours.daemon = !isDaemonRunning();
    await checkDaemonNode();
    return connectPm2();
  };
  // Two at once would start two daemons on one socket.
  const pm2 = await withStartLock(paths, connect);
  const started = startedWith(await pm2.all(), paths);
  const config = { ...wanted, ...started };
  const wasRunning = (await controllerPid(paths.controlSocket)) !== null;
  const stopOurs = async () => {
    if (!ours.apps) return;
    await stopApps(pm2, config, paths);
    if (ours.daemon && (await pm2.all()).size === 0) await pm2.killDaemon();
  };
  const interrupted = options.foreground ? onInterrupt(stopOurs) : null;
  try {
    if (options.foreground) await attachLogs(pm2, config);
    const isNew = await withStartLock(paths, () => startMissing(pm2, config, paths));
    ours.apps = isNew && !wasRunning;
    const isReread = started !== null && (await applyConfig(pm2, wanted, started, paths));
    const problem = await untilLive(config, paths, {
      quiet: options.foreground === true,
      wasRunning,
      begun,
    });
    if (problem === null && isReread && (await isEnvironmentStale(pm2, config, paths))) {
      console.log(
        'the environment has changed: both slots get fresh processes, one after the other',
      );
      await renewSlots(paths);
    }
    if (problem === null) printAddresses(config, paths, ours.apps, options.foreground === true);
    else if (!options.foreground) throw problem;
    else
      console.error(`${style('red', problem.message)}\nfix it and save: the watcher builds again`);
    await interrupted;
  } finally {
    pm2.disconnect();
  }
}

/** Cluster apps run on the daemon's Node, whatever the command line runs on. */
async function checkDaemonNode(): Promise<void> {
  const node = daemonNode();
  if (node === null) return;
  const { stdout } = await promisify(execFile)(node, ['--version']).catch(() => ({ stdout: '' }));
  if (stdout === '' || isNodeNewEnough(stdout)) return;
  throw new SlotsError(
    'DAEMON_NODE_OLD',
    `the PM2 daemon that runs already uses Node ${stdout.trim()}, and slots needs ${MIN_NODE_TEXT} or later`,
    { hint: 'end it with `pm2 kill`, or give slots a daemon of its own with PM2_HOME=<folder>' },
  );
}

/** @returns whether anything had to be started */
async function startMissing(pm2: Pm2, config: Config, paths: SitePaths): Promise<boolean> {
  const known = await pm2.all();
  const missing: AppRole[] = [];
  for (const role of ROLES) {
    const instances = known.get(appName(config, role)) ?? [];
    const foreign = instances.find(({ root }) => root !== paths.root);
    if (foreign) {
      throw new SlotsError(
        'NAME_TAKEN',
        `PM2 runs an app ${appName(config, role)} already, of ${foreign.root ?? 'another program'}`,
        { hint: 'set another "name" in slots.config.ts' },
      );
    }
    const runs = instances.some(({ status }) => status === 'online' || status === 'launching');
    // A slot that has no release is stopped, and that is as it should be.
    const rests = (role === 'blue' || role === 'green') && instances.length > 0;
    if (!runs && !rests) missing.push(role);
  }
  await endOrphans(paths);
  for (const role of missing) {
    await checkPorts(config, role);
    await pm2.delete(appName(config, role));
  }
  const wanted = new Set(missing.map((role) => appName(config, role)));
  const toStart = apps(paths.root, config).filter(({ name }) => wanted.has(name));
  if (toStart.length > 0) await pm2.start(toStart);
  return toStart.length > 0;
}

/** A daemon's processes end by themselves when it dies. One that hung at that moment has the port that its successor needs. */
async function endOrphans({ run }: SitePaths): Promise<void> {
  const orphans = (await runSocketOwners(run)).filter(({ isOrphan }) => isOrphan);
  await Promise.all(orphans.map(({ pid }) => endProcess(pid, ORPHAN_LIMIT_MS)));
}

/** Said here, where a person reads it; inside PM2 it would be a restart loop in a log file. */
async function checkPorts({ ports, host, proxy }: Config, role: AppRole): Promise<void> {
  if (role === 'watcher') return checkPort('ports.admin', ports.admin, '127.0.0.1');
  await checkPort(`ports.${role}`, ports[role], role === 'proxy' ? host : '127.0.0.1');
  const redirect = proxy.tls?.redirectHttp;
  if (role === 'proxy' && redirect) await checkPort('proxy.tls.redirectHttp', redirect, host);
}

async function checkPort(key: string, port: number, host: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      reject(
        new SlotsError('PORT_TAKEN', `${key}: port ${port} is taken by another program`, {
          hint: `end that program, or set another "${key}" in slots.config.ts`,
        }),
      );
    });
    server.listen(port, listenHost(host), resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

/** @returns why the first release did not become live, or `null` when visitors get answers */
async function untilLive(
  config: Config,
  paths: SitePaths,
  { quiet, wasRunning, begun }: { quiet: boolean; wasRunning: boolean; begun: number },
): Promise<SlotsError | null> {
  const progress = quiet ? null : createProgress();
  let isOrdered = false;
  try {
    await untilControllerAnswers(config, paths);
    for await (const event of followController(paths)) {
      progress?.show(event);
      if (event.type !== 'status') continue;
      const { status } = event;
      if (status.slots[status.active].role === 'active') break;
      const failure = firstReleaseFailure(status, begun);
      if (failure) return failure;
      // A controller that has just started builds by itself, unless it is paused.
      if (isOrdered || status.promotion !== null || !(wasRunning || status.watcher.paused))
        continue;
      isOrdered = true;
      await callController(paths, 'POST', '/api/promote');
    }
    progress?.say('waiting for the proxy');
    await untilProxyAnswers(config);
    return null;
  } finally {
    progress?.end();
  }
}

/** @param since what failed before is no news, in milliseconds since 1970 */
function firstReleaseFailure({ last }: Status, since: number): SlotsError | null {
  if (last?.outcome !== 'failed' || Date.parse(last.finishedAt) < since) return null;
  return new SlotsError('FIRST_RELEASE_FAILED', `no release is live: ${last.error}`, {
    hint: 'mend it, then save or run `slots up` again, which builds; `slots logs build` shows the output',
  });
}

async function untilProxyAnswers(config: Config): Promise<void> {
  const deadline = performance.now() + PROXY_TIMEOUT_MS;
  for (;;) {
    const answer = await tryProbe(
      config.ports.proxy,
      config.health.path,
      config.health.timeoutMs,
      config.proxy.tls !== undefined,
      config.host,
      config.health.host,
    );
    const verdict = judge(answer, null);
    // A 404 or 401 proves the site live: visitors get the same.
    if (verdict.is === 'well' || isClientError(answer)) return;
    if (performance.now() > deadline) {
      const what = verdict.why;
      throw new SlotsError(
        'PROXY_SILENT',
        `the proxy on port ${config.ports.proxy} says: ${what}`,
        {
          hint: '`slots logs proxy` says why',
        },
      );
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

function isClientError(answer: ProbeAnswer | Error): boolean {
  return !(answer instanceof Error) && answer.status >= 400 && answer.status < 500;
}

function siteAddress({ ports, proxy }: Config): string {
  return `${proxy.tls ? 'https' : 'http'}://localhost:${ports.proxy}`;
}

function printAddresses(
  config: Config,
  paths: SitePaths,
  started: boolean,
  foreground: boolean,
): void {
  const watched = config.watch.map((path) => join(paths.root, path));
  const content = watched.filter((path) => existsSync(path)).join('  ');
  const rows = [
    ['site', style('bold', siteAddress(config))],
    ['content', `${content}  (edit, save, and it is live)`],
    ['status', 'npx slots status --watch, or in a browser: npx slots dash'],
    ['stop', foreground && started ? 'Ctrl-C' : 'npx slots down'],
  ];
  const lines = rows.map(([what = '', where = '']) => `  ${style('dim', what.padEnd(8))} ${where}`);
  console.log(`\n${style('green', `${config.name} is up`)}\n${lines.join('\n')}\n`);
}

/** Resolves once Ctrl-C has come and what it should stop has stopped. A second Ctrl-C does not wait. */
function onInterrupt(stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      process.once('SIGINT', () => process.exit(130));
      console.log('\nstopping …');
      stop().then(resolve, reject);
    };
    process.once('SIGINT', begin);
    process.once('SIGTERM', begin);
  });
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type AppRole, appName, apps } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import type { Status } from '../controller/admin/status.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { type ProbeAnswer, tryProbe } from '../controller/health/probe.ts';
import { judge } from '../controller/health/verdict.ts';
import { SlotsError } from '../errors.ts';
import { connectPm2, type Pm2 } from '../pm2.ts';
import { daemonNode, isDaemonRunning } from '../pm2-daemon.ts';
import { homePaths } from '../slots/home.ts';
import type { SitePaths } from '../slots/paths.ts';
import { type Owner, runSocketOwners } from '../slots/run-socket.ts';
import { attachLogs } from './attach-logs.ts';
import { checkPorts } from './check-ports.ts';
import { callController, followController } from './client.ts';
import { untilControllerAnswers } from './controller-answers.ts';
import { stopApps } from './down.ts';
import { fleetStuck } from './fleet-stuck.ts';
import {
  checkHosts,
  publicAddress,
  register,
  unregister,
  untilServed,
} from './front/registration.ts';
import { startFront } from './front/start.ts';
import { isNodeNewEnough, MIN_NODE_TEXT } from './min-node.ts';
import { isEnvironmentStale, renewSlots } from './restart.ts';
import { applyConfig, startedWith } from './running-config.ts';
import { withStartLock } from './start-lock.ts';
import { createProgress } from './terminal/progress.ts';
import { style } from './terminal/style.ts';

const ROLES: AppRole[] = ['watcher', 'blue', 'green', 'proxy'];

/** A site with `hosts` has the front in place of a proxy of its own. */
const rolesOf = ({ hosts }: Config) => (hosts ? ROLES.filter((role) => role !== 'proxy') : ROLES);

const PROXY_TIMEOUT_MS = 20_000;
const LOOK_INTERVAL_MS = 50;

/** `slots up`: starts what does not run yet and waits until visitors get an answer. */
export async function up(
  wanted: Config,
  paths: SitePaths,
  options: { foreground?: boolean; return?: number },
): Promise<void> {
  const begun = Date.now();
  // It may have ended before this process began.
  const isUnwanted = () => options.return !== undefined && process.ppid !== options.return;
  const ours = { daemon: false, apps: false };
  const connect = async () => {
    ours.daemon = !isDaemonRunning();
    await checkDaemonNode();
    return connectPm2();
  };
  // `slots down` ends the controller that wants the site back, and has the lock meanwhile.
  const pm2 = await withStartLock(paths, async () => (isUnwanted() ? null : connect()));
  if (pm2 === null) return;
  const started = startedWith(await pm2.all(), paths);
  const config = { ...wanted, ...started };
  // A site takes other hosts without being started anew.
  if (started?.hosts && wanted.hosts) config.hosts = wanted.hosts;
  const home = homePaths();
  if (config.hosts) checkHosts(home, paths, config);
  // What is left of a site that had hosts when the machine crashed.
  else await unregister(home, paths, config.name, 0);
  const lost = await lostController(paths);
  const running = await controllerPid(paths.controlSocket);
  const wasRunning = running !== null && running !== lost;
  const stopOurs = async () => {
    if (!ours.apps) return;
    await stopApps(pm2, config, paths, home);
    await endUnusedDaemon(pm2, ours.daemon);
  };
  const interrupted = options.foreground ? onInterrupt(stopOurs) : null;
  try {
    if (options.foreground) await attachLogs(pm2, config);
    const isNew = await withStartLock(
      paths,
      async () => !isUnwanted() && (await startMissing(pm2, config, paths)),
    );
    if (isUnwanted() && !isNew) return await endUnusedDaemon(pm2, ours.daemon);
    ours.apps = isNew && !wasRunning;
    if (config.hosts) {
      await register(home, paths, config);
      await startFront(pm2, home);
    }
    const isReread = started !== null && (await applyConfig(pm2, wanted, started, paths));
    const problem = await untilLive(config, paths, {
      quiet: options.foreground === true,
      wasRunning,
      lost,
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

async function endUnusedDaemon(pm2: Pm2, isOurs: boolean): Promise<void> {
  if (isOurs && (await pm2.all()).size === 0) await pm2.killDaemon();
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
  for (const role of rolesOf(config)) {
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
  const orphans = (await runSocketOwners(paths.run)).filter(({ isOrphan }) => isOrphan);
  for (const role of missing) {
    // What a daemon that died has left behind serves until the new processes take its sockets.
    if (!orphans.some((orphan) => isOf(orphan, role))) await checkPorts(config, role);
    await pm2.delete(appName(config, role));
  }
  const wanted = new Set(missing.map((role) => appName(config, role)));
  const toStart = apps(paths.root, config).filter(({ name }) => wanted.has(name));
  if (toStart.length > 0) await pm2.start(toStart);
  return toStart.length > 0;
}

async function lostController({ run }: SitePaths): Promise<number | null> {
  const [owner] = await runSocketOwners(run, 'watcher');
  return owner?.isOrphan ? owner.pid : null;
}

/** A site whose server is not HTTP's has its socket under `tcp<slot>`. */
function isOf(owner: Owner, role: AppRole): boolean {
  return owner.role === role || owner.role === `tcp${role}`;
}

interface Since {
  quiet: boolean;
  wasRunning: boolean;
  /** The controller that PM2 had lost. */
  lost: number | null;
  begun: number;
}

/** @returns why the first release did not become live, or `null` when visitors get answers */
async function untilLive(
  config: Config,
  paths: SitePaths,
  { quiet, wasRunning, lost, begun }: Since,
): Promise<SlotsError | null> {
  const progress = quiet ? null : createProgress();
  let isOrdered = false;
  let stuck: SlotsError | null = null;
  const over = new AbortController();
  try {
    await untilControllerAnswers(config, paths, lost);
    if (config.fleet) {
      const onStuck = (error: SlotsError) => {
        stuck = error;
        over.abort();
      };
      fleetStuck(paths, over.signal).then(onStuck, () => {});
    }
    for await (const event of followController(paths, over.signal)) {
      progress?.show(event);
      if (event.type !== 'status') continue;
      const { status } = event;
      if (status.slots[status.active].role === 'active') break;
      const failure = firstReleaseFailure(status, begun);
      if (failure) return failure;
      // A controller that has just started builds by itself, unless it is paused.
      // In a fleet what all serve comes first, and then its edits, which no newcomer may undo.
      if (
        config.fleet ||
        isOrdered ||
        status.promotion !== null ||
        !(wasRunning || status.watcher.paused)
      )
        continue;
      isOrdered = true;
      await callController(paths, 'POST', '/api/promote');
    }
    if (stuck) return stuck;
    progress?.say('waiting for the proxy');
    if (config.hosts) await untilServed(homePaths(), paths, config);
    await untilProxyAnswers(config);
    return null;
  } finally {
    over.abort();
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
  const { path, timeoutMs, host } = config.health;
  const ask = () => {
    if (config.hosts) {
      const { port, isTls, listensOn, name } = publicAddress(homePaths(), config);
      return tryProbe(port, path, timeoutMs, isTls, listensOn, name);
    }
    const isTls = config.proxy.tls !== undefined;
    return tryProbe(config.ports.proxy, path, timeoutMs, isTls, config.host, host);
  };
  for (;;) {
    const answer = await ask();
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

const HTTPS_PORT = 443;

function siteAddress(config: Config): string {
  const { ports, proxy, hosts } = config;
  if (hosts) return publicAddress(homePaths(), config).url;
  const { acme, canonicalHost } = proxy.tls ?? {};
  if (acme) {
    const port = ports.proxy === HTTPS_PORT ? '' : `:${ports.proxy}`;
    return `https://${canonicalHost ?? acme.hosts[0]}${port}`;
  }
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
    ...(config.proxy.tls?.acme
      ? [['certs', 'npx slots certs  (browsers warn until the first one is there)']]
      : []),
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

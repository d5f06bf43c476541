import { setTimeout as delay } from 'node:timers/promises';
import { type AppRole, appName, apps, FRONT_APP, KILL_MARGIN_MS } from '../config/ecosystem.ts';
import { loadFrontConfig } from '../config/front.ts';
import type { Config } from '../config/schema.ts';
import type { Status } from '../controller/admin/status.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { duration } from '../duration.ts';
import { endProcess } from '../end-process.ts';
import { SlotsError } from '../errors.ts';
import { isRunning } from '../is-running.ts';
import { connectPm2, type Instance, type Pm2 } from '../pm2.ts';
import { daemonAnswers, daemonPid, isDaemonForeground, isDaemonRunning } from '../pm2-daemon.ts';
import { daemonEnvironment } from '../pm2-environment.ts';
import { homePaths } from '../slots/home.ts';
import { type SitePaths, sitePaths } from '../slots/paths.ts';
import { runSocketOwners } from '../slots/run-socket.ts';
import { SLOTS } from '../slots/slot.ts';
import { VERSION } from '../version.ts';
import { FRONT_SOCKET } from '../wire/messages.ts';
import { callController } from './client.ts';
import { untilControllerAnswers } from './controller-answers.ts';
import { startFront } from './front/start.ts';
import { renewSlots } from './restart.ts';
import { startedWith } from './running-config.ts';
import { withStartLock } from './start-lock.ts';

const LOOK_INTERVAL_MS = 100;

/** How long the new workers may take until they serve, in milliseconds. */
const TAKE_OVER_MS = 30_000;

type Known = ReadonlyMap<string, Instance[]>;

/**
 * `slots upgrade`: after a new Node, PM2 or slots was installed, replaces daemon, controller, proxy and both slots, one after
 * the other, while visitors are served. A daemon that runs other apps too keeps running.
 */
export async function upgrade(wanted: Config, paths: SitePaths): Promise<void> {
  const begun = performance.now();
  if (!isDaemonRunning()) throw notUp(wanted);
  if (isDaemonForeground()) throw foreground();
  let pm2 = await connectPm2();
  try {
    const known = await pm2.all();
    const started = startedWith(known, paths);
    if (started === null) throw notUp(wanted);
    const config = { ...wanted, ...started };
    await untilControllerAnswers(config, paths);
    await withStartLock(paths, async () => {
      await untilIdle(paths);
      const others = await otherApps(known, paths);
      if (others.length === 0) pm2 = await replaceDaemon(pm2, config, known, paths);
      else await replaceInPlace(pm2, config, known, others);
      await untilControllerAnswers(config, paths);
    });
    await untilWorkersServe(config, paths);
    await replaceSlots(pm2, config, paths);
    await untilEnded(ourPids(known, paths), config);
    const versions = `slots ${VERSION} under PM2 ${await pm2.version()}`;
    console.log(`${config.name} runs ${versions}, after ${duration(performance.now() - begun)}`);
  } finally {
    pm2.disconnect();
  }
}

/** Apps that would not outlive the daemon. Another site does, and its controller brings it back. */
async function otherApps(known: Known, paths: SitePaths): Promise<string[]> {
  const outlive = new Map<string, boolean>([[paths.root, true]]);
  const others: string[] = [];
  for (const [app, instances] of known) {
    // The front outlives its daemon, and the next site to be started brings it back.
    if (instances.every(({ isModule }) => isModule) || app === FRONT_APP) continue;
    for (const root of new Set(instances.map(({ root }) => root))) {
      if (root !== null && !outlive.has(root)) {
        outlive.set(root, (await runSocketOwners(sitePaths(root).run, 'watcher')).length > 0);
      }
      if (root === null || !outlive.get(root)) others.push(app);
    }
  }
  return others;
}

function ourPids(known: Known, paths: SitePaths): number[] {
  const all = [...known.values()].flat().filter(({ root }) => root === paths.root);
  return all.map(({ pid }) => pid).filter((pid) => pid > 0);
}

/** A promotion would begin again with the next controller; visitors would wait longer for what they are promised. */
async function untilIdle(paths: SitePaths): Promise<void> {
  let isSaid = false;
  while ((await askStatus(paths)).promotion !== null) {
    if (!isSaid) console.log('waiting for the end of the promotion');
    isSaid = true;
    await delay(LOOK_INTERVAL_MS);
  }
}

const askStatus = (paths: SitePaths) => callController<Status>(paths, 'GET', '/api/status');

/**
 * Ends the daemon alone, so that its processes serve on, and starts one on this process's Node and PM2, with the environment of
 * the old one; but where programs are found may have changed. Whatever becomes of this process, the controller that has lost
 * its daemon brings one back.
 */
async function replaceDaemon(
  pm2: Pm2,
  config: Config,
  known: Known,
  paths: SitePaths,
): Promise<Pm2> {
  const daemon = daemonPid();
  if (daemon === null) throw notUp(config);
  const front = config.hosts ? loadFrontConfig(homePaths().frontConfig) : null;
  const lost = await controllerPid(paths.controlSocket);
  const isKnown = (await runSocketOwners(paths.run, 'watcher')).some(({ pid }) => pid === lost);
  if (!isKnown) throw tooOld();
  console.log('replacing the daemon, the controller and the proxy');
  takeEnvironment({ ...daemonEnvironment(daemon), PATH: process.env.PATH });
  pm2.disconnect();
  process.kill(daemon, 'SIGKILL');
  // The last of its threads keeps its sockets when the process has ended already.
  while (isRunning(daemon) || (await daemonAnswers())) await delay(LOOK_INTERVAL_MS);
  const modules = [...known.values()].flat().filter(({ isModule }) => isModule);
  await Promise.all(modules.map(({ pid }) => endProcess(pid)));
  const next = await connectPm2();
  // A slot is started by the promotion that comes then: with a check, and visitors on the other one.
  const first: AppRole[] = ['watcher', 'proxy'];
  await startApps(next, config, paths, first);
  if (front) await startFront(next, homePaths(), front);
  await untilControllerAnswers(config, paths, lost);
  return next;
}

async function startApps(
  pm2: Pm2,
  config: Config,
  paths: SitePaths,
  roles: readonly AppRole[],
): Promise<void> {
  const names = roles.map((role) => appName(config, role));
  await pm2.start(apps(paths.root, config).filter(({ name }) => names.includes(name)));
}

function takeEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
}

/** In a daemon that is not ours alone. */
async function replaceInPlace(
  pm2: Pm2,
  config: Config,
  known: Known,
  others: string[],
): Promise<void> {
  console.log(
    `PM2's daemon runs ${others.join(', ')} too, and keeps its Node and its PM2; \`pm2 update\` replaces it, and ` +
      'stops them all for a moment',
  );
  checkScripts(config, known);
  console.log('replacing the proxy and the controller');
  if (known.has(appName(config, 'proxy'))) await pm2.reload(appName(config, 'proxy'));
  await pm2.restart(appName(config, 'watcher'));
}

/** PM2 keeps the path of an app's script for good (Unitech/pm2 #3742). */
function checkScripts(config: Config, known: Known): void {
  const app = appName(config, config.hosts ? 'watcher' : 'proxy');
  const instances = known.get(app) ?? [];
  const [{ script: wanted } = { script: '' }] = apps('', config).filter(({ name }) => name === app);
  const other = instances.find(({ script }) => script !== null && script !== wanted);
  if (!other) return;
  throw new SlotsError('STACK_OLD', `the apps run slots from ${other.script}, not from ${wanted}`, {
    hint: 'end and start them with `slots down && slots up`, at a time that suits visitors',
  });
}

/** Every run socket of the proxy is one of a process that PM2 runs. */
async function untilWorkersServe(config: Config, paths: SitePaths): Promise<void> {
  const deadline = performance.now() + TAKE_OVER_MS;
  const wanted = config.hosts ? 1 : config.proxy.workers;
  for (;;) {
    const workers = await runSocketOwners(paths.run, config.hosts ? FRONT_SOCKET : 'proxy');
    const kept = workers.filter(({ isOrphan }) => !isOrphan);
    if (kept.length >= wanted) return;
    if (performance.now() > deadline) {
      throw new SlotsError('PROXY_SILENT', 'the new workers of the proxy do not serve', {
        hint: 'visitors are served by the old ones; `slots logs proxy` says why, and `slots up` tries again',
      });
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

async function replaceSlots(pm2: Pm2, config: Config, paths: SitePaths): Promise<void> {
  const { active, slots } = await askStatus(paths);
  if (slots[active].role === 'active') {
    console.log('replacing the slots');
    await renewSlots(paths);
  }
  const known = await pm2.all();
  const missing = SLOTS.filter((slot) => !known.has(appName(config, slot)));
  if (missing.length > 0) await startApps(pm2, config, paths, missing);
}

/** What is open on the old processes is finished. */
async function untilEnded(old: number[], config: Config): Promise<void> {
  const deadline = performance.now() + config.drainTimeoutMs + KILL_MARGIN_MS;
  while (old.some(isRunning) && performance.now() < deadline) await delay(LOOK_INTERVAL_MS);
}

function notUp({ name }: Config): SlotsError {
  return new SlotsError('NOT_UP', `${name} is not running`, { hint: 'start it with `slots up`' });
}

function foreground(): SlotsError {
  return new SlotsError('PM2_FOREGROUND', "PM2 is this container's or unit's main process", {
    hint: 'replace that as a whole: start the new container, or restart the unit',
  });
}

function tooOld(): SlotsError {
  return new SlotsError(
    'STACK_OLD',
    'what runs is of a slots whose processes end with their daemon',
    { hint: 'this once with a gap of some seconds: `slots down && pm2 kill && slots up`' },
  );
}

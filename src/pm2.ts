/** The only file that knows PM2's API. `PM2_HOME` decides which daemon it talks to, as for PM2 itself. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessDescription } from 'pm2';
import { type App, DEFINITION_VARIABLE } from './config/ecosystem.ts';
import { SlotsError } from './errors.ts';
import { isRunning } from './is-running.ts';
import { asOnlyStarter, daemonPid } from './pm2-daemon.ts';
import { forgetStarterEnvironment, withoutPm2Variables } from './pm2-environment.ts';
import { preparePm2Home } from './pm2-home.ts';
import { siteRoot } from './slots/site-root.ts';
import { NO_RELEASE_EXIT_CODE } from './slots/slot.ts';

/** PM2 answers within a second or not at all: a daemon that died meanwhile leaves the call open for ever. */
const CALL_TIMEOUT_MS = 60_000;

/** How long a daemon may take for the first answer, and how often that is tried. */
const FIRST_ANSWER_MS = 10_000;
const ATTEMPTS = 3;

const DAEMON_END_TIMEOUT_MS = 5000;

export interface Instance {
  pid: number;
  pmId: number;
  /** PM2's word, for instance `online`, `stopped`, `waiting restart` or `errored`; `orphaned` once its daemon has died. */
  status: string;
  uptimeMs: number;
  memoryBytes: number;
  restarts: number;
  exitCode: number | null;
  outLog: string;
  errorLog: string;
  nodeVersion: string | null;
  /** A module of PM2 (`pm2 install`), which each daemon starts by itself. */
  isModule: boolean;
  /** The file that PM2 runs: it keeps that of the app's first start. */
  script: string | null;
  /** `SLOTS_ROOT` of the app: whose it is, when two sites have one name. */
  root: string | null;
  /** `SLOTS_STARTED` of the app: the config that it was started with (src/config/started.ts). */
  started: string | null;
  /** `SLOTS_DEFINITION` of the app: a hash of the environment and the arguments that it was started with. */
  definition: string | null;
}

export interface Pm2 {
  /** Starts the daemon if none runs, then the apps. */
  start(apps: App[]): Promise<void>;
  /** The app's processes, without those that PM2 is replacing. Empty when PM2 does not know the app. */
  instances(app: string): Promise<Instance[]>;
  /** Every process PM2 knows, by app. */
  all(): Promise<Map<string, Instance[]>>;
  stop(app: string): Promise<void>;
  /** Gives the app fresh processes, one after the other, each old one ending when its new one serves. */
  reload(app: string): Promise<void>;
  /** Stops what runs and starts every process of the app anew, all at once. */
  restart(app: string): Promise<void>;
  /** Starts those processes of the app that are stopped or found no release to serve, and touches no other. */
  startStopped(app: string): Promise<void>;
  /**
   * Gives the app fresh processes: all at once, or one after the other. An app whose environment or arguments have
   * changed, or which PM2 does not know, is started anew.
   */
  renew(app: App, how: 'restart' | 'reload'): Promise<void>;
  /**
   * Gives the app so many processes: ends the newest that are too many, as `delete` does, or adds what is missing, with the
   * environment and the arguments of those that are there.
   */
  scale(app: string, count: number): Promise<void>;
  delete(app: string): Promise<void>;
  /** Calls back with each piece of output of any app. */
  onOutput(
    listener: (output: { app: string; text: string; isError: boolean }) => void,
  ): Promise<void>;
  /** The daemon's PM2, which may be an older one than is installed. */
  version(): Promise<string>;
  /** Ends the daemon and every process it runs. */
  killDaemon(): Promise<void>;
  disconnect(): void;
  /**
   * The daemon has died. PM2's client would start another one for the next call, with this process's environment: from here
   * on questions are answered by what was known last, as far as it lives, and whatever is ordered waits for ever.
   */
  lose(): void;
}

type Api = typeof import('pm2');

/** Missing in PM2's types. */
type WithVersion = { getVersion(done: Done): void };
type WithScale = { scale(app: string, count: number, done: Done): void };

/**
 * Connects to the daemon; starts one when none runs.
 *
 * @throws SlotsError `PM2_UNREACHABLE`, also for a `PM2_HOME` that cannot be used
 */
export async function connectPm2(): Promise<Pm2> {
  forgetStarterEnvironment();
  preparePm2Home();
  for (let attempt = 1; ; attempt++) {
    const api = await connect();
    try {
      // A daemon that is just dying takes a connection, and the client waits for ever on it for the next daemon.
      const ask = (done: Done) => (api as unknown as WithVersion).getVersion(done);
      await callApi('getVersion', ask, FIRST_ANSWER_MS);
      return adapt(api);
    } catch (error) {
      api.disconnect();
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function connect(): Promise<Api> {
  // Imported here because PM2 reads PM2_HOME while it loads.
  const { default: pm2 } = (await import('pm2')) as unknown as {
    default: { custom: new () => Api };
  };
  // A client of its own: one that is disconnected, and connects again, ends the new connection with the old (PM2 7.0.4,
  // `Client.disconnectRPC`, after 200 ms).
  const api = new pm2.custom();
  await asOnlyStarter(() => callApi<unknown>('connect', (done) => api.connect(done)));
  return api;
}

function adapt(api: Api): Pm2 {
  let known: AppProcess[] = [];
  let lostAt: number | null = null;
  const lost = Promise.withResolvers<void>();
  const whatIsLeft = () => orphans(known, performance.now() - (lostAt ?? performance.now()));

  const call = <T>(what: string, act: (done: Done) => void): Promise<T> => {
    const never = new Promise<never>(() => {});
    if (lostAt !== null) return never;
    return callApi<T>(what, act).catch((error) =>
      lostAt === null ? Promise.reject(error) : never,
    );
  };

  const ask = async () => {
    const list = await call<ProcessDescription[]>('list', (done) => api.list(done as never));
    known = list.map(toProcess).filter((process) => process !== null);
    return known;
  };

  const processes = () => {
    if (lostAt !== null) return Promise.resolve(whatIsLeft());
    // A question that is under way when the daemon dies gets no answer.
    return Promise.race([ask(), lost.promise.then(whatIsLeft)]);
  };

  const instances = async (app: string) =>
    (await processes()).filter((process) => process.app === app).map(({ instance }) => instance);

  type Found = Pick<Instance, 'pmId'>[];
  const each = async (found: Found, what: string, act: (id: number, done: Done) => void) => {
    await Promise.all(found.map(({ pmId }) => call(what, (done) => act(pmId, done))));
  };
  const stop = (found: Found) => each(found, 'stop', (id, done) => api.stop(id, done));
  const start = (found: Found) => each(found, 'restart', (id, done) => api.restart(id, done));
  const remove = (found: Found) => each(found, 'delete', (id, done) => api.delete(id, done));

  const startApps = async (apps: App[]) => {
    await call('start', (done) => api.start({ apps } as never, done));
  };
  // PM2 refuses to restart a process that waits for its own restart ("Process with pid … already
  // exists", God.startProcessId), so it is stopped first.
  const restart = async (found: Found) => {
    await stop(found);
    await start(found);
  };
  // Without `force` one lock file for the whole PM2_HOME makes a reload fail for up to 30 s after any
  // other app's; the daemon itself keeps reloads of one process apart since 7.0.4 (#6129).
  const reload = async (app: string) => {
    await call('reload', (done) => api.reload(app, { force: true } as never, done));
  };

  return {
    instances,
    stop: async (app) => stop(await instances(app)),
    start: startApps,
    all: async () => {
      const byApp = new Map<string, Instance[]>();
      for (const { app, instance } of await processes()) {
        byApp.set(app, [...(byApp.get(app) ?? []), instance]);
      }
      return byApp;
    },
    restart: async (app) => restart(await instances(app)),
    reload,
    renew: async (app, how) => {
      const known = await instances(app.name);
      const isSame = known.every(({ definition }) => definition === app.env[DEFINITION_VARIABLE]);
      if (isSame && known.length > 0) return how === 'reload' ? reload(app.name) : restart(known);
      await remove(known);
      await withoutPm2Variables(() => startApps([app]));
    },
    scale: async (app, count) => {
      const known = (await instances(app)).sort((a, b) => a.pmId - b.pmId);
      const tooMany = known.slice(count);
      await Promise.all(
        tooMany.map(({ pmId }) => call('delete', (done) => api.delete(pmId, done))),
      );
      if (known.length >= count) return;
      await call('scale', (done) => (api as unknown as WithScale).scale(app, count, done));
    },
    // With a backoff PM2 says `waiting restart` of a process whose exit code it does not restart, and waits for ever.
    startStopped: async (app) => {
      const resting = (await instances(app)).filter(
        ({ status, exitCode }) =>
          status === 'stopped' || (status !== 'online' && exitCode === NO_RELEASE_EXIT_CODE),
      );
      for (const { pmId } of resting) {
        await call('stop', (done) => api.stop(pmId, done));
        await call('restart', (done) => api.restart(pmId, done));
      }
    },
    delete: async (app) => remove(await instances(app)),
    onOutput: async (listener) => {
      const bus = await call<NodeJS.EventEmitter>('launchBus', (done) =>
        api.launchBus(done as never),
      );
      const tell = (isError: boolean) => (packet: { process: { name: string }; data: string }) =>
        listener({ app: packet.process.name, text: packet.data, isError });
      bus.on('log:out', tell(false));
      bus.on('log:err', tell(true));
    },
    version: () => call('getVersion', (done) => (api as unknown as WithVersion).getVersion(done)),
    killDaemon: async () => {
      const pid = daemonPid();
      await call('kill', (done) => api.killDaemon(done as never));
      // PM2 calls back, and removes its pid file, while the daemon still has its last half second.
      const deadline = performance.now() + DAEMON_END_TIMEOUT_MS;
      while (pid !== null && isRunning(pid) && performance.now() < deadline) await delay(20);
    },
    disconnect: () => api.disconnect(),
    lose: () => {
      lostAt = performance.now();
      lost.resolve();
      // Calls that are under way would be those of the next daemon.
      api.disconnect();
    },
  };
}

type Done = (error: Error | null, result?: unknown) => void;

function callApi<T>(
  what: string,
  act: (done: Done) => void,
  timeoutMs = CALL_TIMEOUT_MS,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (message: string) =>
      reject(new SlotsError('PM2_UNREACHABLE', `pm2 ${what}: ${message}`));
    const timer = setTimeout(fail, timeoutMs, `no answer in ${timeoutMs / 1000} s`);
    act((error, result) => {
      clearTimeout(timer);
      if (error) fail(error.message ?? String(error));
      else resolve(result as T);
    });
  });
}

interface AppProcess {
  app: string;
  instance: Instance;
}

function orphans(known: AppProcess[], lostForMs: number): AppProcess[] {
  return known
    .filter(({ instance }) => isRunning(instance.pid))
    .map(({ app, instance }) => {
      const uptimeMs = instance.uptimeMs + lostForMs;
      return { app, instance: { ...instance, status: 'orphaned', uptimeMs } };
    });
}

/** `null` for a process that PM2 is replacing: it has a new one under the same id already. */
function toProcess(found: ProcessDescription): AppProcess | null {
  const env = (found.pm2_env ?? {}) as Record<string, unknown>;
  if (typeof found.pm_id !== 'number' || found.name === undefined) return null;
  const online = env.status === 'online' || env.status === 'launching';
  return {
    app: found.name,
    instance: {
      pid: found.pid ?? 0,
      pmId: found.pm_id,
      status: String(env.status),
      // PM2 keeps the clock's time of the start, and the clock may have been set back since.
      uptimeMs: online ? Math.max(0, Date.now() - Number(env.pm_uptime)) : 0,
      memoryBytes: found.monit?.memory ?? 0,
      restarts: Number(env.restart_time ?? 0),
      exitCode: typeof env.exit_code === 'number' ? env.exit_code : null,
      outLog: String(env.pm_out_log_path ?? ''),
      errorLog: String(env.pm_err_log_path ?? ''),
      nodeVersion: typeof env.node_version === 'string' ? env.node_version : null,
      isModule: env.pmx_module === true,
      script: typeof env.pm_exec_path === 'string' ? env.pm_exec_path : null,
      root: typeof env.SLOTS_ROOT === 'string' ? siteRoot(env.SLOTS_ROOT) : null,
      started: typeof env.SLOTS_STARTED === 'string' ? env.SLOTS_STARTED : null,
      definition: typeof env[DEFINITION_VARIABLE] === 'string' ? env[DEFINITION_VARIABLE] : null,
    },
  };
}

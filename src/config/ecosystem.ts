import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ENV_FILES_VARIABLE } from '../slots/env-files.ts';
import { homeVariable } from '../slots/home.ts';
import { SHARED_KEYS_VARIABLE } from '../slots/secrets.ts';
import { siteRoot } from '../slots/site-root.ts';
import { NO_RELEASE_EXIT_CODE, type Slot } from '../slots/slot.ts';
import { loadConfig } from './load.ts';
import type { Config } from './schema.ts';
import { STARTED_VARIABLE, startedConfig } from './started.ts';

/** One PM2 app, in the words of PM2's ecosystem file. */
export interface App {
  name: string;
  script: string;
  cwd: string;
  exec_mode: 'cluster' | 'fork';
  instances: number;
  env: Record<string, string>;
  [option: string]: unknown;
}

/** Time that a process that serves needs beyond the drain's limit to close what is left. */
export const KILL_MARGIN_MS = 5000;

/**
 * In MiB for each of V8's semi-spaces, which otherwise grow under load to several times that and stay so. What a
 * request leaves behind is small and soon gone: with this limit a worker takes 70 to 100 MiB less at its peak, and
 * is no slower.
 */
export const PROXY_NODE_ARGS = ['--max-semi-space-size=8'];

/** How PM2 runs whatever is ours. */
export const COMMON_OPTIONS = {
  autorestart: true,
  exp_backoff_restart_delay: 100,
  // PM2 gives an app up that crashes 16 times in its first 16 s, backoff or not: it resets the backoff of one that
  // lived for 100 ms (ran, PM2 7.0.4). A slot whose release comes back must come back as well.
  max_restarts: Number.MAX_SAFE_INTEGER,
  merge_logs: true,
  // PM2 polls for a killed process's death this often; its default of 100 ms is felt in every start.
  kill_retry_time: 10,
  // Walking the process tree costs a `ps` per kill, and our processes end their own children.
  treekill: false,
  // Neither PM2's request tracing in the data plane nor a `git` run at each start.
  pmx: false,
  vizion: false,
};

const CONTROLLER_KILL_TIMEOUT_MS = 15_000;

/** Tells by which environment and arguments PM2 runs an app: it keeps those of the start for all restarts. */
export const DEFINITION_VARIABLE = 'SLOTS_DEFINITION';

export type AppRole = 'proxy' | 'watcher' | Slot;

/** The PM2 app that the sites with `hosts` share; see front-app.ts. */
export const FRONT_APP = 'slots-front';

export function appName(config: Pick<Config, 'name' | 'hosts'>, role: AppRole): string {
  if (role === 'proxy' && config.hosts) return FRONT_APP;
  return `${config.name}-${role}`;
}

/**
 * The PM2 apps of the site in `root`, for `module.exports` of an ecosystem.config.cjs: four, or three of a site that shares the
 * front.
 *
 * @throws SlotsError when the config is missing something or wrong
 */
export function ecosystem(root: string): { apps: App[] } {
  const real = siteRoot(root);
  return { apps: apps(real, loadConfig(real)) };
}

export function apps(root: string, config: Config): App[] {
  // The controller comes first: workers ask it where to send visitors before they listen.
  return [
    {
      ...withStarted(common(root, config, 'watcher'), config),
      script: processScript('controller'),
      exec_mode: 'fork',
      instances: 1,
      kill_timeout: CONTROLLER_KILL_TIMEOUT_MS,
    },
    slotApp(root, config, 'blue'),
    slotApp(root, config, 'green'),
    // A site with hosts of its own is served by the front (front-app.ts).
    ...(config.hosts ? [] : [proxyApp(root, config)]),
  ];
}

function proxyApp(root: string, config: Config): App {
  return {
    ...withStarted(common(root, config, 'proxy'), config),
    script: processScript('proxy'),
    exec_mode: 'cluster',
    node_args: PROXY_NODE_ARGS,
    instances: config.proxy.workers,
    kill_timeout: config.drainTimeoutMs + KILL_MARGIN_MS,
    listen_timeout: 10_000,
  };
}

/** One slot's app; the environment in it is the one of `config`. */
export function slotApp(root: string, config: Config, slot: Slot): App {
  return withDefinition(slotAppAlone(root, config, slot));
}

function withDefinition(app: App): App {
  const { env, args, node_args } = app;
  const text = JSON.stringify([Object.entries(env).sort(), args, node_args]);
  const definition = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { ...app, env: { ...env, [DEFINITION_VARIABLE]: definition } };
}

function slotAppAlone(root: string, config: Config, slot: Slot): App {
  const base = common(root, config, slot);
  return {
    ...base,
    script: processScript('instance'),
    exec_mode: 'cluster',
    instances: config.instances,
    // For the answers of an active slot; a process of another one ends itself after 5 s (instance/finish.ts).
    kill_timeout: config.drainTimeoutMs + KILL_MARGIN_MS,
    listen_timeout: config.health.deadlineMs,
    stop_exit_codes: [NO_RELEASE_EXIT_CODE],
    ...(config.nodeArgs.length > 0 && { node_args: config.nodeArgs }),
    ...(config.args.length > 0 && {
      args: config.args.map((arg) => addressed(arg, config.ports[slot])),
    }),
    env: {
      ...base.env,
      ...config.env,
      SLOTS_ROOT: root,
      HOST: '127.0.0.1',
      PORT: String(config.ports[slot]),
      SLOTS_SLOT: slot,
      ...(config.skew === false && { [SHARED_KEYS_VARIABLE]: 'off' }),
      SLOTS_DRAIN_TIMEOUT_MS: String(config.drainTimeoutMs),
      ...(config.envFiles.length > 0 && { [ENV_FILES_VARIABLE]: JSON.stringify(config.envFiles) }),
    },
  };
}

/** `--port $PORT`, as a shell would have it. */
function addressed(arg: string, port: number): string {
  const values: Record<string, string> = { PORT: String(port), HOST: '127.0.0.1' };
  return arg.replaceAll(/\$(?:\{(PORT|HOST)\}|(PORT|HOST)\b)/g, (_all, braced, bare) => {
    return values[braced ?? bare] as string;
  });
}

function common(root: string, config: Config, role: AppRole) {
  return {
    ...COMMON_OPTIONS,
    name: appName(config, role),
    cwd: root,
    env: { NODE_ENV: 'production', SLOTS_ROOT: root },
  };
}

function withStarted<T extends { env: Record<string, string> }>(app: T, config: Config) {
  const started = JSON.stringify(startedConfig(config));
  const home = config.hosts ? homeVariable() : {};
  return { ...app, env: { ...app.env, ...home, [STARTED_VARIABLE]: started } };
}

/** Compiled when installed or built; the source itself when Node runs that. */
export function processScript(process: 'controller' | 'proxy' | 'instance' | 'front'): string {
  const compiled = fileURLToPath(new URL(`../${process}/main.js`, import.meta.url));
  return existsSync(compiled) ? compiled : compiled.replace(/\.js$/, '.ts');
}

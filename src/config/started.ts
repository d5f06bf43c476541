/**
 * The config that a running stack was started with. It goes by that until it is stopped, whatever becomes of the config
 * file: a process that is started again must fit to those that run already, and a file that is broken just
 * now must not keep a proxy worker from coming back. The rest of the config concerns the controller only.
 */
import { createHash } from 'node:crypto';
import { loadConfig } from './load.ts';
import { type Config, configSchema } from './schema.ts';

/** Nothing secret, since `pm2 env` and `pm2 save` show it. */
const KEYS = [
  'name',
  'ports',
  'host',
  'hosts',
  'instances',
  'drainTimeoutMs',
  'cache',
  'fleet',
  'proxy',
] as const;

export type StartedConfig = Pick<Config, (typeof KEYS)[number]>;

/** How PM2 keeps it for the controller and the proxy workers. */
export const STARTED_VARIABLE = 'SLOTS_STARTED';

export const startedSchema = configSchema
  .pick({
    name: true,
    ports: true,
    host: true,
    hosts: true,
    instances: true,
    drainTimeoutMs: true,
    cache: true,
    fleet: true,
    proxy: true,
  })
  .required({ name: true });

export function startedConfig(config: Config): StartedConfig {
  return Object.fromEntries(KEYS.map((key) => [key, config[key]])) as StartedConfig;
}

/** @returns `null` for what another version of slots has written */
export function parseStarted(text: string | null | undefined): StartedConfig | null {
  if (!text) return null;
  try {
    return startedSchema.parse(JSON.parse(text)) as StartedConfig;
  } catch {
    return null;
  }
}

/** The controller's config: the file as it is now, but for what is fixed since the start. */
export function loadRunningConfig(root: string): Config {
  return { ...loadConfig(root), ...parseStarted(process.env[STARTED_VARIABLE]) };
}

/** A worker needs nothing else, so that it never reads the file once the stack runs. */
export function loadWorkerConfig(root: string): StartedConfig {
  return parseStarted(process.env[STARTED_VARIABLE]) ?? loadConfig(root);
}

/** Keys of the file that wait for the next start, for instance `ports.blue`. */
export function changedSince(started: StartedConfig, config: Config): string[] {
  return KEYS.flatMap((key) => {
    // A site of the front is registered again under its new hosts by `slots up`.
    if (key === 'hosts' && started.hosts && config.hosts) return [];
    return changedPaths(key, started[key], config[key]);
  });
}

/** Tells whether the controller goes by the file as it is now. */
export function configHash(config: Config): string {
  const own = Object.entries(config).filter(([key]) => !(KEYS as readonly string[]).includes(key));
  const text = JSON.stringify(own.sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function changedPaths(path: string, before: unknown, now: unknown): string[] {
  if (!isObject(before) || !isObject(now)) {
    return JSON.stringify(before) === JSON.stringify(now) ? [] : [path];
  }
  const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...keys].flatMap((key) => changedPaths(`${path}.${key}`, before[key], now[key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

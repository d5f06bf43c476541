import { completeFleet } from '../../config/fleet-schema.ts';
import { findConfigFile, loadConfig, readConfigFile, readPackageJson } from '../../config/load.ts';
import { type Config, configSchema } from '../../config/schema.ts';
import { SlotsError } from '../../errors.ts';

export interface LenientConfig {
  /** The config, or the nearest thing to it: what is wrong is at its default. */
  config: Config;
  /** Its fault. */
  error: SlotsError | null;
}

/** A config that is good enough to go on checking with: a wrong port must not hide a full disk. */
export function loadLeniently(root: string): LenientConfig {
  try {
    return { config: loadConfig(root), error: null };
  } catch (error) {
    if (!(error instanceof SlotsError)) throw error;
    return { config: guessConfig(root), error };
  }
}

function guessConfig(root: string): Config {
  const user = orEmpty(() => {
    const file = findConfigFile(root);
    return file ? readConfigFile(file) : {};
  });
  const parsed = configSchema.safeParse(user);
  const wrong = parsed.success ? [] : parsed.error.issues.map(({ path }) => String(path[0]));
  const known = new Set(Object.keys(configSchema.shape));
  const kept = Object.entries(user).filter(([key]) => known.has(key) && !wrong.includes(key));
  const config = configSchema.parse(Object.fromEntries(kept));
  const site = orEmpty(() => readPackageJson(root)) as { name?: unknown };
  const bare = typeof site.name === 'string' ? site.name.replace(/^@[^/]*\//, '') : 'site';
  return {
    ...config,
    name: config.name ?? bare,
    build: config.build ?? '',
    entry: config.entry ?? '',
    client: config.client ?? [],
    fleet: completeFleet(config.fleet, config.name ?? bare),
    nodeArgs: config.nodeArgs ?? [],
    args: config.args ?? [],
    envFiles: config.envFiles ?? [],
  };
}

function orEmpty(read: () => unknown): Record<string, unknown> {
  try {
    const value = read();
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Packages of a release that another machine has built: where releases have their own (`install`), each machine installs them. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import type { Manifest } from '../../slots/archive/manifest.ts';
import { listDeps } from '../../slots/deps.ts';
import { readEnvFiles } from '../../slots/env-files.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { createPartial, deletePartial } from '../../slots/release.ts';
import { installs, prepareDependencies, wantedDeps } from '../build/dependencies.ts';
import { buildEnvironment } from '../build/environment.ts';
import { createRedactor } from '../build/redact.ts';

/**
 * Installs them, as a build here would, unless they are here. Does nothing where the lock file or package.json is another one
 * than the builder's: then whoever unpacks the release refuses it, and says why.
 *
 * @throws SlotsError `BUILD_FAILED` or `BUILD_TIMEOUT`; `slots/failed-build.log` has what the command has printed
 */
export async function installFor(
  { id, deps }: Pick<Manifest, 'id' | 'deps'>,
  config: Config,
  paths: SitePaths,
  onLine: (line: string) => void = () => {},
): Promise<void> {
  if (deps === null || !installs(config)) return;
  if ((await listDeps(paths)).includes(deps)) return;
  if ((await wantedDeps(config, paths.root)) !== deps) return;
  const dir = await createPartial(paths, id);
  const inFiles = readEnvFiles(paths.root, config.envFiles);
  const env = { ...inFiles, ...buildEnvironment(process.env, config.env, join(dir, 'dist')) };
  const redact = createRedactor({ ...inFiles, ...config.env }, process.env);
  const { signal } = new AbortController();
  try {
    const run = { env, dir, timeoutMs: config.buildTimeoutMs, signal, redact, onLine };
    await prepareDependencies(config, paths, run);
  } catch (error) {
    await rename(join(dir, 'build.log'), paths.failedBuildLog).catch(() => {});
    throw error;
  } finally {
    await deletePartial(paths, id);
  }
}

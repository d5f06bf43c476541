import { existsSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { detectFramework, filesOf } from '../../config/detect.ts';
import { findConfigFile, readPackageJson } from '../../config/load.ts';
import { installCommand, packageHome } from '../../config/package-manager.ts';
import type { Preset } from '../../config/presets/preset.ts';
import { contentOutside, describeUnwatched } from '../content-outside.ts';
import { ownAddressUse, saysOwnAddress } from '../own-address.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

export function checkConfig({ paths, configError }: Facts): Check[] {
  const file = findConfigFile(paths.root);
  const what = file ? relative(paths.root, file) : 'no config file, so the defaults';
  if (!configError) return [ok('config', `${what}: valid`)];
  const hint = configError.hint ?? 'mend it; docs/configuration.md lists every key';
  return configError.message
    .split('\n')
    .map((line) => problem('config', line.replace(`${paths.root}/`, ''), hint));
}

export function checkFramework({ paths, config, configError }: Facts): Check[] {
  const preset = presetOf(paths.root);
  if (preset?.todo) return [warning('framework', preset.name, preset.todo)];
  if (preset?.advice) return [warning('framework', preset.name, preset.advice)];
  if (preset) return [ok('framework', preset.name)];
  if (configError?.code === 'CONFIG_INCOMPLETE') {
    const hint = 'set "build" and "entry" in slots.config.ts';
    return [problem('framework', 'none was recognised in package.json', hint)];
  }
  return [ok('framework', `none recognised; the config has the entry: ${config.entry}`)];
}

function presetOf(root: string): Preset | null {
  const packageJson = readPackageJson(root);
  return detectFramework(packageJson, filesOf(root, packageJson));
}

/** Found by a look at the code: in tests, and without a proxy, it is right. */
export function checkOwnAddress({ paths }: Facts): Check[] {
  const preset = presetOf(paths.root);
  const file = preset && ownAddressUse(paths.root, preset);
  if (!preset?.ownAddress || file === null) return [];
  return [warning('address', saysOwnAddress(preset.name, file), preset.ownAddress.instead)];
}

/** A path that is missing is waited for; that all are missing is a mistake. */
export function checkWatchPaths({ paths, config }: Facts): Check[] {
  const preset = presetOf(paths.root);
  const gone = config.watch.filter((path) => !existsSync(join(paths.root, path)));
  const there = config.watch.filter((path) => !gone.includes(path));
  // A preset lists every folder that such a site may have.
  const missing = there.length > 0 ? gone.filter((path) => !preset?.watch.includes(path)) : gone;
  if (missing.length === 0) return [ok('watch', there.join(', '))];
  const message = `${missing.join(', ')}: does not exist`;
  const hint = 'correct "watch", or make the folder: it is seen when it comes';
  if (there.length > 0) return [warning('watch', `${message} (${there.join(', ')} does)`, hint)];
  return [problem('watch', `${message}, so no edit is ever seen`, hint)];
}

/** Somebody who edits a file that nothing watches waits for ever. */
export function checkUnwatchedContent({ paths, config }: Facts): Check[] {
  const found = contentOutside(paths.root, config.watch);
  if (found.length === 0) return [];
  const message = `no edit is seen of ${found.map(describeUnwatched).join(', ')}`;
  const hint = `if pages are made of it, set "watch" to ${JSON.stringify([...config.watch, ...found.map(({ at }) => at)])}`;
  return [warning('content', message, hint)];
}

/** Of a command for a shell only the shell knows what it runs. */
export function checkBuildCommand({ paths, config }: Facts): Check[] {
  const { build, install } = config;
  if (build === false) return [ok('build', 'nothing to run: files are copied')];
  if (install)
    return [ok('build', `${[build].flat().join(' ')}, after ${[install].flat().join(' ')}`)];
  if (!Array.isArray(build)) return build ? [ok('build', build)] : [];
  const [program = ''] = build;
  if (isInstalled(paths.root, program)) return [ok('build', build.join(' '))];
  const home = packageHome(paths.root, readPackageJson(paths.root).packageManager);
  const hint = `install the site's packages (\`${installCommand(home)}\`), or correct "build"`;
  return [problem('build', `"${program}" is neither installed in the site nor in PATH`, hint)];
}

function isInstalled(root: string, program: string): boolean {
  if (program.includes('/')) return existsSync(resolve(root, program));
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (let folder = root; ; folder = dirname(folder)) {
    folders.push(join(folder, 'node_modules/.bin'));
    if (folder === dirname(folder)) break;
  }
  return folders.some((folder) => existsSync(join(folder, program)));
}

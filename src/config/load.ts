import { existsSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { extname, join } from 'node:path';
import type { z } from 'zod';
import { SlotsError } from '../errors.ts';
import { parseEntry } from '../slots/entry.ts';
import { detectFramework, filesOf } from './detect.ts';
import { completeFleet } from './fleet-schema.ts';
import { describeIssue, show } from './issue.ts';
import { type PresetClient, usualClient } from './presets/client-folder.ts';
import type { PackageJson, Preset } from './presets/preset.ts';
import { type Config, configSchema, type UserConfig } from './schema.ts';
import { workspaceSources } from './workspace-packages.ts';

/** In the order in which they are looked for; the first that exists counts. */
export const CONFIG_FILES = [
  'slots.config.ts',
  'slots.config.mjs',
  'slots.config.js',
  'slots.config.json',
];

/** The config file of a site, or `null` when it lives on defaults alone. */
export function findConfigFile(root: string): string | null {
  const name = CONFIG_FILES.find((candidate) => existsSync(join(root, candidate)));
  return name ? join(root, name) : null;
}

/**
 * Reads, checks and completes a site's config. Synchronous, because PM2 reads ecosystem.config.cjs with
 * `require`; Node loads TypeScript and ESM that way too, as long as there is no top-level await.
 *
 * @param root the site's folder, absolute
 * @throws SlotsError `CONFIG_UNREADABLE`, `CONFIG_INVALID` or `CONFIG_INCOMPLETE`, naming file and key
 */
export function loadConfig(root: string): Config {
  const file = findConfigFile(root);
  const user = file ? readConfigFile(file) : {};
  const parsed = configSchema.safeParse(user, { reportInput: true });
  if (!parsed.success) throw invalid(file ?? root, parsed.error.issues);

  const site = readPackageJson(root);
  const preset = detectFramework(site, filesOf(root, site));
  const name = parsed.data.name ?? defaultName(site);
  const build = parsed.data.build ?? preset?.build;
  const entry = parsed.data.entry ?? preset?.entry;
  if (!name) throw incomplete(root, 'name', 'package.json has none that PM2 could use');
  if (build === undefined) throw incomplete(root, 'build', NOT_RECOGNISED);
  if (!entry) throw incomplete(root, 'entry', NOT_RECOGNISED);
  const clash = clashOf(parsed.data, entry);
  if (clash !== null) throw new SlotsError('CONFIG_INVALID', `${file}: ${clash}`);
  // How the start script starts another file says nothing about an entry of one's own.
  const own =
    parsed.data.entry === undefined || parsed.data.entry === preset?.entry ? preset : null;
  const envFiles = parsed.data.envFiles ?? own?.envFiles ?? [];
  const lockFile = parsed.data.install && findLockFile(root);
  return {
    ...parsed.data,
    name,
    build,
    entry,
    copy: parsed.data.copy ?? presetCopy(preset, parsed.data.build),
    client: parsed.data.client ?? clientOf(entry, preset),
    fleet: completeFleet(parsed.data.fleet, name),
    fallback: fallbackOf(parsed.data.single, preset),
    env: { ...preset?.env, ...parsed.data.env },
    nodeArgs: parsed.data.nodeArgs ?? own?.nodeArgs ?? [],
    args: parsed.data.args ?? own?.args ?? [],
    envFiles,
    watch: [
      ...new Set([
        ...watched(root, user, parsed.data, preset),
        ...workspaceSources(root, site),
        ...envFiles.filter((file) => existsSync(join(root, file))),
        ...(lockFile ? [lockFile, 'package.json'] : []),
      ]),
    ],
    lockFile,
    framework: preset?.name,
    worksInRelease: preset?.worksInRelease,
    todo: preset?.todo,
    advice: preset?.advice,
  };
}

/** Two keys that are right each, and cannot both be. */
function clashOf({ single, ports, proxy }: z.output<typeof configSchema>, entry: string) {
  if (single && parseEntry(entry).kind !== 'static') {
    return `single: only for a site of static files, whose entry is "static:<folder>", not ${show(entry)}`;
  }
  const redirect = proxy.tls?.redirectHttp;
  if (redirect !== undefined && Object.values(ports).includes(redirect)) {
    return `proxy.tls.redirectHttp: ${redirect} (another port than those of "ports")`;
  }
  return null;
}

const NOT_RECOGNISED = 'no framework was recognised in package.json';

/** A build of the user's that knows where to write needs nothing copied. */
function presetCopy(preset: Preset | null, ownBuild: Config['build'] | undefined) {
  if (!preset?.copy || ownBuild === undefined) return preset?.copy;
  const writesItself = /\{outDir\}|SLOTS_OUT_DIR/.test([ownBuild].flat().join(' '));
  return preset.build === false || writesItself ? undefined : preset.copy;
}

/** A static site may be what the user makes of a framework: all of the folder that is served is for visitors then. */
function clientOf(entry: string, preset: Preset | null): PresetClient[] {
  const isStatic = parseEntry(entry).kind === 'static';
  if (isStatic || !preset?.client) return usualClient(entry);
  // A monorepo has the framework's output in a folder of its own (Next's standalone).
  const inside = entry.endsWith(`/${preset.entry}`) ? entry.slice(0, -preset.entry.length) : '';
  return preset.client.map((client) => ({ ...client, folder: inside + client.folder }));
}

/** `single: false` turns off what a preset has found. */
function fallbackOf(single: Config['single'], preset: Preset | null): string | undefined {
  if (single === undefined) return preset?.fallback;
  if (single === true) return 'index.html';
  return single === false ? undefined : single;
}

/** The schema has filled in its own default already, so what the user wrote tells whether there is one. */
function watched(
  root: string,
  user: unknown,
  { watch }: { watch: string[] },
  preset: Preset | null,
): string[] {
  if ((user as UserConfig).watch !== undefined) return watch;
  if (preset) return preset.watch;
  const there = watch.filter((path) => existsSync(join(root, path)));
  return there.length > 0 ? there : watch;
}

/** In the order in which they are looked for. */
export const LOCK_FILES = [
  'npm-shrinkwrap.json',
  'package-lock.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'bun.lock',
];

function findLockFile(root: string): string {
  const found = LOCK_FILES.find((name) => existsSync(join(root, name)));
  if (found) return found;
  throw new SlotsError(
    'CONFIG_INCOMPLETE',
    `${root}: "install" is set and there is no lock file (${LOCK_FILES.slice(1).join(', ')})`,
    { hint: 'make one, for instance with `npm install --package-lock-only`' },
  );
}

export function readConfigFile(file: string): unknown {
  try {
    if (file.endsWith('.json')) return parseJson(readFileSync(file, 'utf8'));
    const module = withOwnPackage(() => createRequire(file)(file));
    return 'default' in module ? module.default : module;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const isJson = file.endsWith('.json') && cause instanceof SyntaxError;
    throw new SlotsError('CONFIG_UNREADABLE', `${file}: ${why}`, {
      ...(isJson && {
        hint: 'JSON has no comments and no commas before a closing bracket; slots.config.mjs may have both',
      }),
      cause,
    });
  }
}

/**
 * A config that imports `two-slots` gets the slots that loads it, wherever that is installed. So does one that imports
 * `slots`: the package had that name, which in the npm registry is somebody else's.
 */
function withOwnPackage<T>(load: () => T): T {
  const url = new URL(`../index${extname(import.meta.url)}`, import.meta.url).href;
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      /^(two-)?slots$/.test(specifier) ? { url, shortCircuit: true } : next(specifier, context),
  });
  try {
    return load();
  } finally {
    hooks.deregister();
  }
}

/** JSON, without the byte order mark that editors on Windows put before it; Node takes such a package.json too. */
function parseJson(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, ''));
}

/** An empty one where there is none: a folder of files may do without. */
export function readPackageJson(root: string): PackageJson {
  const file = join(root, 'package.json');
  try {
    return parseJson(readFileSync(file, 'utf8')) as PackageJson;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new SlotsError('CONFIG_UNREADABLE', `${file}: ${(cause as Error).message}`, { cause });
  }
}

/** A scoped package name without its scope: `@me/site` is `site` to PM2. */
export function defaultName(site: PackageJson): string | undefined {
  const bare = typeof site.name === 'string' ? site.name.replace(/^@[^/]*\//, '') : undefined;
  return configSchema.shape.name.safeParse(bare).data;
}

function incomplete(root: string, key: string, why: string): SlotsError {
  return new SlotsError('CONFIG_INCOMPLETE', `${root}: "${key}" is not set and ${why}`, {
    hint: `set "${key}" in slots.config.ts`,
  });
}

function invalid(file: string, issues: readonly z.core.$ZodIssue[]): SlotsError {
  const lines = issues.map((issue) => `${file}: ${describeIssue(issue, isSecret)}`);
  return new SlotsError('CONFIG_INVALID', lines.join('\n'));
}

/** Where passwords and tokens stand: errors end in logs, and in bug reports. */
const SECRET_KEY = /^(deploy|notify|fleet\.servers)(?!\.(git$|\d+\.(on|format)\b))/;

function isSecret(key: string, value: unknown): boolean {
  if (key.startsWith('env')) return true;
  return SECRET_KEY.test(key) && value !== undefined && typeof value !== 'boolean';
}

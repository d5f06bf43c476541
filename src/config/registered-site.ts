/**
 * The sites that the front serves, as files of `$SLOTS_HOME/sites`: `slots up` writes one, `slots down` removes it, and the
 * front's workers go by what is there.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { HomePaths } from '../slots/home.ts';
import { hostName } from './host-names.ts';
import type { Config } from './schema.ts';
import { type StartedConfig, startedConfig, startedSchema } from './started.ts';

const registeredSchema = z.object({
  /** Absolute. */
  root: z.string().min(1),
  hosts: z.array(hostName).min(1),
  /** Tells two registrations of one site apart. */
  since: z.string(),
  config: startedSchema,
});

/** A site as a worker of the front needs it: its folder, and the config that its processes were started with. */
export interface RegisteredSite {
  name: string;
  root: string;
  hosts: string[];
  since: string;
  config: StartedConfig;
}

/** One file: a site, or why it is none, for instance because another version of slots has written it. */
export type Registration =
  | { name: string; site: RegisteredSite }
  | { name: string; site: null; why: string; isGone: boolean };

/** @throws Error when the folder cannot be read; one that is not there holds nothing */
export function readRegistrations(home: Pick<HomePaths, 'sites'>): Registration[] {
  return registrationFiles(home).flatMap(({ path, name }) => readRegistration(path, name));
}

function registrationFiles({ sites }: Pick<HomePaths, 'sites'>): { path: string; name: string }[] {
  if (!existsSync(sites)) return [];
  const files = readdirSync(sites).filter((file) => /^[^.].*\.json$/.test(file));
  return files.sort().map((file) => ({ path: join(sites, file), name: file.slice(0, -5) }));
}

/** A file that was written to a moment ago may be written to again without a change of its time, in milliseconds. */
const SETTLED_MS = 2000;

interface Seen {
  signature: string;
  site: RegisteredSite;
}

/**
 * Reads them again and again, and each file only when it is another one: twenty sites, read twice a second, took a worker
 * of the front more than 1 % of a processor.
 *
 * @returns `readRegistrations`
 */
export function createRegistrationReader(
  home: Pick<HomePaths, 'sites'>,
  now: () => number = Date.now,
): () => Registration[] {
  let seen = new Map<string, Seen>();
  return () => {
    const next = new Map<string, Seen>();
    const found = registrationFiles(home).flatMap(({ path, name }): Registration[] => {
      const signature = signatureOf(path, now());
      const before = seen.get(path);
      const isSame = signature !== null && before?.signature === signature;
      if (isSame && !existsSync(before.site.root)) return [gone(name, before.site.root)];
      const read = isSame ? [{ name, site: before.site }] : readRegistration(path, name);
      const [first] = read;
      if (signature !== null && first?.site) next.set(path, { signature, site: first.site });
      return read;
    });
    seen = next;
    return found;
  };
}

/** `null`: the file has to be read. */
function signatureOf(path: string, now: number): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || Math.abs(now - found.mtimeMs) < SETTLED_MS) return null;
  return [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join();
}

function gone(name: string, root: string): Registration {
  return { name, site: null, why: `its folder ${root} is gone`, isGone: true };
}

function readRegistration(path: string, name: string): Registration[] {
  try {
    const found = registeredSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const { root, hosts, since, config } = found;
    const site = { name, root, hosts, since, config: config as StartedConfig };
    if (!existsSync(root)) return [gone(name, root)];
    return [{ name, site }];
  } catch (error) {
    // It was removed while the folder was read.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    return [{ name, site: null, why: why.replaceAll(/\s*\n\s*/g, ' '), isGone: false }];
  }
}

/** Sites that can be served. */
export function registeredSites(home: Pick<HomePaths, 'sites'>): RegisteredSite[] {
  return readRegistrations(home).flatMap(({ site }) => (site ? [site] : []));
}

/** Has the front serve the site from now on, or under other hosts than before. */
export function writeRegistration(home: HomePaths, root: string, config: Config, hosts: string[]) {
  const before = registeredSites(home).find(({ name }) => name === config.name);
  // Hosts have a place of their own: a change of theirs makes no other site.
  const started = withAbsolutePaths(root, { ...startedConfig(config), hosts: undefined });
  const isSame = before?.root === root && isDeepStrictEqual(before.config, asRead(started));
  const since = isSame ? before.since : new Date().toISOString();
  mkdirSync(home.sites, { recursive: true, mode: 0o700 });
  const text = `${JSON.stringify({ root, hosts, since, config: started }, null, 2)}\n`;
  writeFileAtomic.sync(registrationFile(home, config.name), text, { mode: 0o600 });
}

function asRead(config: StartedConfig): unknown {
  return startedSchema.parse(JSON.parse(JSON.stringify(config)));
}

/** Whether there is a file of this name at all, whosever it is. */
export function hasRegistration(home: Pick<HomePaths, 'sites'>, name: string): boolean {
  return existsSync(registrationFile(home, name));
}

/** @returns whether the site was registered */
export function removeRegistration(home: HomePaths, root: string, name: string): boolean {
  const file = registrationFile(home, name);
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as { root?: string };
    if (found.root !== root) return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
  }
  rmSync(file, { force: true });
  return true;
}

function registrationFile({ sites }: Pick<HomePaths, 'sites'>, name: string): string {
  return join(sites, `${name}.json`);
}

/** The front's workers run in another folder than the site. */
function withAbsolutePaths(root: string, config: StartedConfig): StartedConfig {
  const { tls, errorPages } = config.proxy;
  const proxy = { ...config.proxy };
  if (errorPages) proxy.errorPages = resolve(root, errorPages);
  if (tls?.cert && tls.key) {
    proxy.tls = { ...tls, cert: resolve(root, tls.cert), key: resolve(root, tls.key) };
  }
  return { ...config, proxy };
}

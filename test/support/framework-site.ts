import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { UserConfig } from '../../src/config/schema.ts';
import { type Load, startLoad } from './load.ts';
import { createSite, type Site, type SiteOptions } from './site.ts';
import { until } from './until.ts';

/** A site as its framework's users write it: recognised by what is in it, with no more config than ports. */
export interface FrameworkSite {
  files: Record<string, string>;
  config?: UserConfig;
  /** Brings `node_modules`. Without it the site has none. */
  modules?: (root: string) => Promise<unknown>;
}

const REPOSITORY_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** `site.edit(file, text)` writes the file anew. */
export function frameworkSite(from: FrameworkSite, options: SiteOptions = {}): Promise<Site> {
  return createSite(
    {
      config: { debounceMs: 100, drainTimeoutMs: 5000, ...from.config },
      async fill(root) {
        for (const [path, text] of Object.entries(from.files)) await write(root, path, text);
        await from.modules?.(root);
      },
      edit: write,
    },
    options,
  );
}

async function write(root: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** The packages of this repository, one link each: frameworks keep their caches in the folder itself. */
export async function linkPackages(root: string, ...names: string[]): Promise<void> {
  for (const name of names) {
    const link = join(root, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(REPOSITORY_MODULES, name), link);
  }
}

export interface Edit {
  file: string;
  /** The whole new file. */
  text: string;
  /** Where the edit is to be seen. */
  path?: string;
  /** What is then in the answer. */
  sees: string;
}

/** Makes the edits one after the other under a light load, and sees each of them with no failed request. */
export async function expectEditsLive(
  site: Site,
  edits: Edit[],
  paths: readonly string[] = ['/'],
  timeoutMs = 60_000,
): Promise<void> {
  const load: Load = startLoad(site.origin, { paths, keepAlive: 4, fresh: 2, pauseMs: 50 });
  const seen = new Set<string | null>();
  for (const { file, text, path = '/', sees } of edits) {
    await site.edit(file, text);
    const page = await until(
      async () => {
        const answer = await site.get(path);
        return answer.body.includes(sees) && answer;
      },
      `"${sees}" at ${path}`,
      timeoutMs,
    );
    seen.add(page.release);
    await site.settled(timeoutMs);
  }
  const result = await load.stop();
  expect(result.failures).toEqual([]);
  expect(result.failed).toBe(0);
  expect(seen.size).toBe(edits.length);
  expect(result.requests).toBeGreaterThan(10);
}

/** Installs what the site's package.json asks for, from npm's cache where it can. */
export async function installPackages(root: string, ...options: string[]): Promise<void> {
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', ...options];
  // As a person would: npm must not take itself for a script of this repository.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(npm_|VITEST|NODE_ENV$)/.test(key)),
  );
  await promisify(execFile)('npm', args, { cwd: root, env: env as NodeJS.ProcessEnv });
}

/** What this machine needs to reach npm's registry, for a site whose promotions install. */
export function networkEnv(): Record<string, string> {
  const needed = /^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|(https?|no)_proxy)$/i;
  const found = Object.entries(process.env).filter(([key]) => needed.test(key));
  return Object.fromEntries(found) as Record<string, string>;
}

/** The first `<script src>` or stylesheet of a page. */
export function firstAsset(page: string): string {
  const found = /(?:src|href)="(\/[^"]+\.(?:js|css|mjs))"/.exec(page)?.[1];
  expect(found, page).toBeDefined();
  return found as string;
}

/** Starts the site; what a first build says is the reason if that fails. */
export async function bringUp(site: Site): Promise<void> {
  const { exitCode, stderr } = await site.slots('up');
  if (exitCode === 0) return;
  const { stdout: build } = await site.slots('logs', 'build');
  const { stdout: blue } = await site.slots('logs', 'blue');
  throw new Error(`${stderr}\n${build}\n${blue}`);
}

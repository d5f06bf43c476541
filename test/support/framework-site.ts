import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

/** Copies what an install has made, so that several tests can share one. */
export async function copyModules(from: string, root: string): Promise<void> {
  await rm(join(root, 'node_modules'), { recursive: true, force: true });
  await cp(join(from, 'node_modules'), join(root, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
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

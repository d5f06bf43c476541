import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSite, type Site, type SiteOptions } from './site.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/blog', import.meta.url));
const REPOSITORY_MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** What a build or an install has put there; a copy makes its own. */
const NOT_COPIED = new Set(['node_modules', 'dist', '.astro', 'slots']);

/**
 * A copy of the example blog, the real Astro site. `edit('mulch', text)` puts a paragraph at the end of
 * /posts/mulch.
 */
export function exampleSite(options: SiteOptions = {}): Promise<Site> {
  return createSite(
    {
      config: { debounceMs: 100, drainTimeoutMs: 5000 },
      async fill(root) {
        await cp(EXAMPLE, root, {
          recursive: true,
          filter: (path) => !NOT_COPIED.has(basename(path)),
        });
        await linkModules(join(root, 'node_modules'));
      },
      edit: editPost,
    },
    options,
  );
}

/** Packages are links, the folder itself is not: Astro and Vite keep their caches in it. */
async function linkModules(modules: string): Promise<void> {
  await mkdir(modules);
  const own = join(EXAMPLE, 'node_modules');
  const taken = new Set<string>();
  for (const from of [own, REPOSITORY_MODULES]) {
    const names = await readdir(from).catch(() => []);
    for (const name of names) {
      if (taken.has(name) || (name.startsWith('.') && name !== '.bin')) continue;
      taken.add(name);
      await symlink(join(from, name), join(modules, name));
    }
  }
}

async function editPost(root: string, post: string, text: string): Promise<void> {
  const posts = join(root, 'src/content/posts');
  const file = (await readdir(posts)).find((name) => name.replace(/\.mdx?$/, '') === post);
  if (!file) throw new Error(`there is no post ${post}`);
  const before = await readFile(join(EXAMPLE, 'src/content/posts', file), 'utf8');
  await writeFile(join(posts, file), `${before.trimEnd()}\n\n${text}\n`);
}

import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSite, type Site, type SiteOptions } from './site.ts';
import { until } from './until.ts';

const TEMPLATE = fileURLToPath(new URL('spa-site', import.meta.url));

export interface SpaSite extends Site {
  /** Publishes a release in which every file has another hash. @returns the id */
  publish(text: string): Promise<string>;
  /** The URLs of the script that the page loads now, and of the chunks that the script may load. */
  files(): Promise<string[]>;
}

/** A single-page app of static files, as Vite builds one, with lazy routes. */
export async function spaSite(options: SiteOptions = {}): Promise<SpaSite> {
  const site = await createSite(
    {
      config: {
        watch: ['src'],
        build: ['node', 'build.mjs', '{outDir}'],
        entry: 'static:',
        debounceMs: 20,
        drainTimeoutMs: 1000,
        instances: 1,
        keep: 2,
        health: { intervalMs: 20, timeoutMs: 1000 },
      },
      fill: (root) => cp(TEMPLATE, root, { recursive: true }),
      edit: (root, file, text) => writeFile(join(root, 'src/content', file), text),
    },
    options,
  );
  const main = async () => /src="(.*?)"/.exec((await site.get('/')).body)?.[1] as string;
  return {
    ...site,
    async publish(text) {
      const before = await main();
      await site.edit('page.txt', text);
      await until(async () => (await main()) !== before, `${text} to be live`, 30_000);
      await site.settled();
      return (await site.get('/')).release as string;
    },
    async files() {
      const script = await main();
      const { body } = await site.get(script);
      return [script, ...[...body.matchAll(/import\('(.*?)'\)/g)].map(([, url]) => url as string)];
    },
  };
}

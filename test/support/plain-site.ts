import { cp, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSite, type Site, type SiteOptions } from './site.ts';

/** What a release of the plain site does wrong, from `src/content/behaviour.json`. */
export interface Behaviour {
  crashAtStart?: boolean;
  neverListen?: boolean;
  /** Listens there, whatever it is told. */
  port?: number;
  listenOnOneInstanceOnly?: boolean;
  /** Answers everything with this status. */
  status?: number;
  /** Accepts requests and answers none. */
  hang?: boolean;
  exitAfterMs?: number;
  ignoreSigint?: boolean;
  buildExit?: number;
  buildHangs?: boolean;
  noEntry?: boolean;
}

export interface PlainSite extends Site {
  /** `site.edit('page.txt', text)`: what `GET /` answers. */
  behave(behaviour: Behaviour): Promise<void>;
}

export const PLAIN_TEMPLATE = fileURLToPath(new URL('plain-site', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Every path whose answer is the text of page.txt, each sent in a way of its own. */
export const PLAIN_PATHS = ['/', '/file', '/lazy'];

/** A small Node site without a framework: it builds in an instant, and misbehaves on demand. */
export async function plainSite(options: SiteOptions = {}): Promise<PlainSite> {
  const edit = (root: string, file: string, text: string) =>
    writeFile(join(root, 'src/content', file), text);
  const site = await createSite(
    {
      config: {
        watch: ['src/content'],
        build: ['node', 'build.mjs', '{outDir}'],
        entry: 'server.mjs',
        debounceMs: 100,
        drainTimeoutMs: 5000,
        health: { intervalMs: 20, timeoutMs: 1000 },
      },
      async fill(root) {
        await cp(PLAIN_TEMPLATE, root, { recursive: true });
        await symlink(MODULES, join(root, 'node_modules'));
      },
      edit,
    },
    options,
  );
  return {
    ...site,
    behave: (behaviour) => edit(site.root, 'behaviour.json', `${JSON.stringify(behaviour)}\n`),
  };
}

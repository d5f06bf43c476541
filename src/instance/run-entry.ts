import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseEntry } from '../slots/entry.ts';
import type { ReleaseEntry } from './release-entry.ts';
import { runMain } from './run-main.ts';

/**
 * Starts what serves a release, on `HOST` and `PORT`.
 *
 * @param dist the release's output folder. Everything is taken from its real path, so that this process reads
 * its own release even after the slot's symlink has moved.
 * @param guarded the site's `slots` folder
 */
export async function runEntry(
  dist: string,
  { entry, fallback }: ReleaseEntry,
  guarded: string,
): Promise<void> {
  const { kind, path } = parseEntry(entry);
  const target = realpathSync(join(dist, path));
  switch (kind) {
    case 'static': {
      const { createStaticServer } = await import('./static-server.ts');
      const server = await createStaticServer(target, {
        fallback,
        guarded: realpathSync(guarded),
      });
      server.listen(Number(process.env.PORT), process.env.HOST);
      return;
    }
    case 'react-router':
      return runReactRouter(realpathSync(dist), path);
    case 'module':
      await runMain(target);
  }
}

/** Its server takes the client's files from the folder it runs in, so it has to run in the release. */
async function runReactRouter(dist: string, build: string): Promise<void> {
  const manifest = createRequire(join(dist, 'server.js')).resolve(
    '@react-router/serve/package.json',
  );
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  const script = join(dirname(manifest), bin['react-router-serve']);
  trustOurProxy(manifest);
  process.chdir(dist);
  process.argv.splice(1, process.argv.length, script, build);
  await import(pathToFileURL(script).href);
}

/**
 * Its Express app trusts nobody, so that the site would take each visitor for one of plain HTTP, and there is no flag for it.
 * An app that is made later is told, since the server makes it as it is loaded.
 */
function trustOurProxy(manifest: string): void {
  const express = expressOf(manifest);
  if (express === null) return;
  const { application } = express;
  const { defaultConfiguration } = application;
  application.defaultConfiguration = function (this: Settings) {
    Reflect.apply(defaultConfiguration, this, []);
    this.set('trust proxy', 'loopback');
  };
}

interface Settings {
  set(name: string, value: unknown): void;
}

/** `null` where a later version of the server does without it. */
function expressOf(manifest: string): { application: { defaultConfiguration(): void } } | null {
  try {
    return createRequire(manifest)('express');
  } catch {
    return null;
  }
}

import { scriptCommand } from '../package-manager.ts';
import type { Preset, SiteFacts } from './preset.ts';
import { parseStartScript, type StartScript } from './start-script.ts';

const SERVER_FILES = ['server.js', 'server.mjs', 'server.cjs', 'server.ts'];

/** Where such sites have what people edit. Not the whole folder: a database beside the code is no content. */
const FOLDERS = ['src', 'lib', 'server', 'app', 'routes', 'views', 'pages', 'content', 'public'];

/** Folders of code that are watched where there are any. */
const MORE_FOLDERS =
  /^(bin|config|controllers|middlewares?|models|services|utils|helpers|templates|layouts|partials|locales|posts|static|assets|styles)$/;

/** Code beside the entry: what it imports lies there as often as in a folder. */
const CODE = /^(?!(slots|ecosystem|eslint|prettier|jest|vitest)\.config\.)[^.].*\.[cm]?[jt]s$/;

/** A server that Node runs, as it is or after the site's own build: each release is a copy of the site's files. */
export function plainNode(site: SiteFacts): Preset | null {
  const { scripts } = site.packageJson;
  const start = scripts?.start === undefined ? null : parseStartScript(scripts.start);
  const entry = entryOf(site, start);
  if (entry === null) return null;
  const isBuilt = scripts?.build !== undefined;
  const port = ownPort(site.code(entry) ?? '');
  return {
    name: 'Node',
    build: isBuilt ? scriptCommand(site.packageManager, 'build') : false,
    copy: [{ from: '.', to: '.' }],
    entry,
    watch: watched(site, entry, isBuilt),
    ...(port !== null && {
      todo: `${entry} listens on port ${port}, and not where it is told: write listen(process.env.PORT)`,
    }),
    ...(start && {
      env: withoutAddress(start.env),
      nodeArgs: start.nodeArgs,
      args: start.args,
      envFiles: start.envFiles,
      ...(start.before !== null && {
        advice: `the start script runs "${start.before}" first, and slots does not: run it yourself, or as part of "build"`,
      }),
    }),
  };
}

/** A port that is written down in the entry, which asks for no other; `null` where there is none. */
function ownPort(code: string): string | null {
  if (/\bPORT\b/.test(code)) return null;
  const [, written] = /\.listen\(\s*(?:\{\s*port:\s*)?(\w+)/.exec(code) ?? [];
  if (written === undefined) return null;
  const [, named] =
    new RegExp(`\\b(?:const|let|var)\\s+${written}\\s*=\\s*(\\d+)\\b`).exec(code) ?? [];
  return /^\d+$/.test(written) ? written : (named ?? null);
}

/** The slot has its own. */
function withoutAddress({ PORT: _port, HOST: _host, ...env }: Record<string, string>) {
  return env;
}

/** The main module of the start script, else `main`, else a file that is called server. */
function entryOf(site: SiteFacts, start: StartScript | null): string | null {
  const { scripts, main } = site.packageJson;
  const isBuilt = scripts?.build !== undefined;
  if (start) return resolveMain(site, start.main) ?? (isBuilt ? builtFile(start.main) : null);
  if (scripts?.start !== undefined || isBuilt) return null;
  const named = typeof main === 'string' ? resolveMain(site, main) : null;
  return named ?? SERVER_FILES.find((name) => site.isFile(name)) ?? null;
}

/** As Node finds its main module: the file, then with an extension, then a folder's index. */
function resolveMain(site: SiteFacts, written: string): string | null {
  const path = written.replace(/^\.\//, '').replace(/\/$/, '');
  if (path.startsWith('/') || path.split('/').includes('..')) return null;
  if (path === '.' || path === '') {
    const { main } = site.packageJson;
    const named = typeof main === 'string' && main !== '.' ? resolveMain(site, main) : null;
    return named ?? resolveMain(site, 'index');
  }
  const candidates = [path, `${path}.js`, `${path}.json`, `${path}/index.js`];
  return candidates.find((candidate) => site.isFile(candidate)) ?? null;
}

/** It comes with the build, so only its name can say that it is one. */
function builtFile(written: string): string | null {
  const path = written.replace(/^\.\//, '');
  const isInside = !path.startsWith('/') && !path.split('/').includes('..');
  if (!isInside || path === '.') return null;
  return /\.[cm]?js$/.test(path) ? path : `${path.replace(/\/$/, '')}.js`;
}

function watched(site: SiteFacts, entry: string, isBuilt: boolean): string[] {
  const here = site.entries();
  const folders = [...FOLDERS, ...here.filter((name) => MORE_FOLDERS.test(name))];
  const files = here.filter((name) => CODE.test(name) || /^tsconfig.*\.json$/.test(name));
  // A build writes the entry, which is no edit. Else what it imports is in its folder, as a rule.
  const own = isBuilt ? [] : [entry.split('/')[0] as string];
  return [...new Set([...own, ...files, ...folders, 'package.json'])];
}

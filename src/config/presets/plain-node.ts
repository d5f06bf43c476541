import type { Preset, SiteFacts } from './preset.ts';

const SERVER_FILES = ['server.js', 'server.mjs', 'server.cjs', 'server.ts'];

/** Where such sites have what people edit. Not the whole folder: a database beside the code is no content. */
const FOLDERS = ['src', 'lib', 'server', 'app', 'routes', 'views', 'pages', 'content', 'public'];

/** A server that runs as it is: each release is a copy of the site's files. */
export function plainNode(site: SiteFacts): Preset | null {
  if (site.packageJson.scripts?.build !== undefined) return null;
  const entry = serverFile(site);
  if (entry === null) return null;
  return {
    name: 'Node',
    build: false,
    copy: [{ from: '.', to: '.' }],
    entry,
    watch: [entry, ...FOLDERS.filter((folder) => !entry.startsWith(`${folder}/`)), 'package.json'],
  };
}

/** What the start script runs with Node, else `main`, else a file that is called server. */
function serverFile(site: SiteFacts): string | null {
  const { scripts, main } = site.packageJson;
  const found =
    scripts?.start === undefined
      ? [...(typeof main === 'string' ? [main] : []), ...SERVER_FILES]
      : [/^(?:\w+=\S+\s+)*node\s+([^\s-]\S*)$/.exec(scripts.start.trim())?.[1] ?? ''];
  const file = found
    .map((path) => path.replace(/^\.\//, ''))
    .find((path) => /\.[cm]?[jt]s$/.test(path) && !path.startsWith('/') && site.has(path));
  return file ?? null;
}

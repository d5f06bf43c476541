import type { Preset, SiteFacts } from './preset.ts';

/** Where the pages lie; the site's own folder comes last, since it may hold more than pages. */
const FOLDERS = ['public', 'dist'];

/** Files beside the pages in the site's own folder that no visitor may read. */
export const PRIVATE = [
  'package.json',
  'package-lock.json',
  'pnpm-lock.yaml',
  'yarn.lock',
  'Dockerfile',
  'ecosystem.config.cjs',
];

/** Files without a build, which slots serves itself. */
export function staticFolder(site: SiteFacts): Preset | null {
  const { scripts, dependencies, devDependencies } = site.packageJson;
  // A page beside a bundler is source, not something to serve.
  if (scripts?.build !== undefined || 'vite' in { ...dependencies, ...devDependencies })
    return null;
  const folder = FOLDERS.find((name) => site.has(`${name}/index.html`));
  const from = folder ?? (site.has('index.html') ? '.' : null);
  if (from === null) return null;
  return {
    name: 'static files',
    build: false,
    copy: [{ from, to: '.', ...(from === '.' && { except: PRIVATE }) }],
    entry: 'static:',
    watch: [from],
  };
}

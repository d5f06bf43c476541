import { addCommand } from '../package-manager.ts';
import { buildCommand } from './build-script.ts';
import { basePath } from './client-folder.ts';
import { configFiles, configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

/** Astro renders on demand exactly when its config has an adapter; without one it writes files. */
export function astro(site: SiteFacts): Preset | null {
  if (!dependsOn(site, 'astro')) return null;
  const config = site.code(...configNames('astro.config'));
  const { build, writesInSite } = buildCommand(site, ['astro', 'build'], ['--outDir', '{outDir}']);
  const common = {
    build,
    ...(writesInSite && { copy: [{ from: outDirOf(config), to: '.' }] }),
    // Where the content lies is the site's choice: `glob({ base })` may name any folder, mostly below src.
    watch: ['src', 'public', ...configFiles(site, 'astro.config')],
  };
  // Where nothing is known but package.json, nothing says that the site is static.
  const rendersOnDemand = config === null ? !site.has('src') : /\badapter\b/.test(config);
  if (!rendersOnDemand) return { name: 'Astro (static)', ...common, entry: 'static:' };
  const hasNode = dependsOn(site, '@astrojs/node');
  return {
    name: 'Astro',
    ...common,
    entry: 'server/entry.mjs',
    client: [{ folder: 'client', url: basePath(config, 'base') }],
    ...(config !== null && !hasNode && { todo: adapterTodo(site) }),
    ...(config !== null && hasNode && !/\ballowedDomains\b/.test(config) && { advice: DOMAINS }),
  };
}

function outDirOf(config: string | null): string {
  const [, folder = 'dist'] = /\boutDir\s*:\s*['"]([^'"]+)['"]/.exec(config ?? '') ?? [];
  return folder.replace(/^\.\//, '').replace(/\/$/, '');
}

function adapterTodo({ packageManager }: SiteFacts): string {
  return `astro.config has an adapter other than @astrojs/node: use that one (${addCommand(packageManager, '@astrojs/node')}), with mode: 'standalone'`;
}

const DOMAINS =
  "behind HTTPS, Astro takes requests for http and answers forms with 403 until its config names the site's hosts: security: { allowedDomains: [{ hostname: 'example.org', protocol: 'https' }] }";

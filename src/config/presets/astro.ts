import { configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

const COMMON = {
  build: ['astro', 'build', '--outDir', '{outDir}'],
  watch: ['src/content', 'public'],
};

/** Astro renders on demand exactly when its config has an adapter; without one it writes files. */
export function astro(site: SiteFacts): Preset | null {
  if (!dependsOn(site, 'astro')) return null;
  const config = site.code(...configNames('astro.config'));
  // Where nothing is known but package.json, nothing says that the site is static.
  const rendersOnDemand = config === null ? !site.has('src') : /\badapter\b/.test(config);
  if (!rendersOnDemand) return { name: 'Astro (static)', ...COMMON, entry: 'static:' };
  return {
    name: 'Astro',
    ...COMMON,
    entry: 'server/entry.mjs',
    ...(config !== null && !dependsOn(site, '@astrojs/node') && { todo: ADAPTER }),
  };
}

const ADAPTER =
  "astro.config has an adapter other than @astrojs/node: use that one, with mode: 'standalone'";

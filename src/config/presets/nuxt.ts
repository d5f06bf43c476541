import { dependsOn, type Preset, type SiteFacts } from './preset.ts';

/** `.output` holds all that the server needs, its packages too, and finds it from where it lies. */
export function nuxt(site: SiteFacts): Preset | null {
  if (!dependsOn(site, 'nuxt')) return null;
  return {
    name: 'Nuxt',
    build: ['nuxt', 'build'],
    copy: [{ from: '.output', to: '.' }],
    entry: 'server/index.mjs',
    watch: ['app', 'pages', 'components', 'layouts', 'content', 'server', 'shared', 'public'],
  };
}

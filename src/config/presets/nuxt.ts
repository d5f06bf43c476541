import { buildCommand } from './build-script.ts';
import { basePath } from './client-folder.ts';
import { configFiles, configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

/** `.output` holds all that the server needs, its packages too, and finds it from where it lies. */
export function nuxt(site: SiteFacts): Preset | null {
  if (!dependsOn(site, 'nuxt')) return null;
  const config = site.code(...configNames('nuxt.config'));
  const common = {
    build: buildCommand(site, ['nuxt', 'build']).build,
    watch: [
      ...['app', 'pages', 'components', 'layouts', 'content', 'server', 'shared', 'public'],
      ...configFiles(site, 'nuxt.config', 'content.config', 'app.config'),
    ],
  };
  if (/\bnux[ti] generate\b/.test(site.packageJson.scripts?.build ?? '')) {
    const copy = [{ from: '.output/public', to: '.' }];
    return { name: 'Nuxt (static)', ...common, copy, entry: 'static:' };
  }
  return {
    name: 'Nuxt',
    ...common,
    copy: [{ from: '.output', to: '.' }],
    entry: 'server/index.mjs',
    client: [{ folder: 'public', url: basePath(config, 'baseURL') }],
  };
}

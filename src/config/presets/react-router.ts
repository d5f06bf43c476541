import { addCommand } from '../package-manager.ts';
import { buildCommand } from './build-script.ts';
import { basePath } from './client-folder.ts';
import { configFiles, configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

/** Framework mode. Its server looks for the client's files from the folder it runs in, as they lay when built. */
export function reactRouter(site: SiteFacts): Preset | null {
  if (!dependsOn(site, '@react-router/dev')) return null;
  const config = site.code(...configNames('react-router.config')) ?? '';
  const common = {
    build: buildCommand(site, ['react-router', 'build']).build,
    watch: [
      ...['app', 'content', 'public'],
      ...configFiles(site, 'react-router.config', 'vite.config'),
    ],
  };
  if (/\bssr\s*:\s*false\b/.test(config)) {
    const copy = [{ from: 'build/client', to: '.' }];
    // A build that prerenders the front page puts `__spa-fallback.html` beside it, which is found by its name.
    const fallback = 'index.html';
    return { name: 'React Router (static)', ...common, copy, entry: 'static:', fallback };
  }
  const vite = site.code(...configNames('vite.config'));
  return {
    name: 'React Router',
    worksInRelease: true,
    ...common,
    copy: [{ from: 'build', to: 'build' }],
    entry: 'react-router:build/server/index.js',
    client: [{ folder: 'build/client', url: basePath(vite, 'base') }],
    ...(!dependsOn(site, '@react-router/serve') && {
      todo: `${addCommand(site.packageManager, '@react-router/serve')}, or set "entry" to your own server's file`,
    }),
  };
}

import { addCommand } from '../package-manager.ts';
import { buildCommand } from './build-script.ts';
import { configFiles, configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

export function svelteKit(site: SiteFacts): Preset | null {
  if (!dependsOn(site, '@sveltejs/kit')) return null;
  const common = {
    build: buildCommand(site, ['vite', 'build']).build,
    copy: [{ from: 'build', to: '.' }],
    watch: ['src', 'static', ...configFiles(site, 'svelte.config', 'vite.config')],
  };
  const isStatic = dependsOn(site, '@sveltejs/adapter-static');
  if (isStatic) {
    const config = site.code(...configNames('svelte.config'), ...configNames('vite.config')) ?? '';
    const fallback = /\bfallback\s*:\s*(['"`])(.+?)\1/.exec(config)?.[2];
    // The server finds a 404.html by itself, and answers it with that status.
    const isPage = fallback !== undefined && fallback !== '404.html';
    return { name: 'SvelteKit (static)', ...common, entry: 'static:', ...(isPage && { fallback }) };
  }
  return {
    name: 'SvelteKit',
    ...common,
    entry: 'index.js',
    // Both have the folders of `paths.base` in them.
    client: [
      { folder: 'client', url: '/' },
      { folder: 'prerendered', url: '/' },
    ],
    // Without them it takes every visitor's origin for https, and refuses forms that are posted over http.
    env: { PROTOCOL_HEADER: 'x-forwarded-proto', HOST_HEADER: 'x-forwarded-host' },
    ...(!dependsOn(site, '@sveltejs/adapter-node') && {
      todo: `use @sveltejs/adapter-node (${addCommand(site.packageManager, '@sveltejs/adapter-node', true)}, and name it as the adapter)`,
    }),
  };
}

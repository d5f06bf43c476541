import { configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

const COMMON = {
  build: ['vite', 'build'],
  copy: [{ from: 'build', to: '.' }],
  watch: ['src', 'static'],
};

export function svelteKit(site: SiteFacts): Preset | null {
  if (!dependsOn(site, '@sveltejs/kit')) return null;
  const isStatic = dependsOn(site, '@sveltejs/adapter-static');
  if (isStatic) {
    const config = site.code(...configNames('svelte.config'), ...configNames('vite.config')) ?? '';
    const fallback = /\bfallback\s*:\s*(['"`])(.+?)\1/.exec(config)?.[2];
    // The server finds a 404.html by itself, and answers it with that status.
    const isPage = fallback !== undefined && fallback !== '404.html';
    return { name: 'SvelteKit (static)', ...COMMON, entry: 'static:', ...(isPage && { fallback }) };
  }
  return {
    name: 'SvelteKit',
    ...COMMON,
    entry: 'index.js',
    // Without them it takes every visitor's origin for https, and refuses forms that are posted over http.
    env: { PROTOCOL_HEADER: 'x-forwarded-proto', HOST_HEADER: 'x-forwarded-host' },
    ...(!dependsOn(site, '@sveltejs/adapter-node') && {
      todo: 'use @sveltejs/adapter-node (npm install -D @sveltejs/adapter-node, and name it as the adapter)',
    }),
  };
}

import { buildCommand } from './build-script.ts';
import { configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';
import { sources } from './sources.ts';

/**
 * The standalone server comes without what a CDN would serve, so that goes beside it. It changes into its
 * own folder when it starts, and takes its address from `HOSTNAME`.
 */
export function next(site: SiteFacts): Preset | null {
  if (!dependsOn(site, 'next')) return null;
  const config = site.code(...configNames('next.config')) ?? '';
  const common = {
    build: buildCommand(site, ['next', 'build']).build,
    watch: watched(site),
    envFiles: ['.env.production.local', '.env.local', '.env.production', '.env'],
  };
  if (/\boutput\s*:\s*['"]export['"]/.test(config)) {
    const copy = [{ from: 'out', to: '.' }];
    return { name: 'Next.js (static)', ...common, copy, entry: 'static:' };
  }
  return {
    name: 'Next.js',
    worksInRelease: true,
    ...common,
    copy: [
      { from: '.next/standalone', to: '.' },
      { from: '.next/static', to: '.next/static' },
      { from: 'public', to: 'public', optional: true },
    ],
    entry: 'server.js',
    env: { HOSTNAME: '127.0.0.1' },
    ...(!config.includes('standalone') && {
      todo: "set output: 'standalone' in next.config: that build is the one with a server of its own",
    }),
  };
}

/** Next has no fixed place for content. */
function watched(site: SiteFacts): string[] {
  const found = sources(site);
  return found.length > 0
    ? found
    : ['app', 'pages', 'src', 'content', 'components', 'lib', 'public'];
}

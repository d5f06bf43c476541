import { buildCommand } from './build-script.ts';
import { configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

/**
 * The standalone server comes without what a CDN would serve, so that goes beside it. It changes into its
 * own folder when it starts, and takes its address from `HOSTNAME`.
 */
export function next(site: SiteFacts): Preset | null {
  if (!dependsOn(site, 'next')) return null;
  const config = site.code(...configNames('next.config')) ?? '';
  const common = {
    build: buildCommand(site, ['next', 'build']).build,
    watch: sources(site),
    envFiles: ['.env.production.local', '.env.local', '.env.production', '.env'],
  };
  if (/\boutput\s*:\s*['"]export['"]/.test(config)) {
    const copy = [{ from: 'out', to: '.' }];
    return { name: 'Next.js (static)', ...common, copy, entry: 'static:' };
  }
  return {
    name: 'Next.js',
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

/** Next has no fixed place for content, so everything counts that git would keep, less what no page is made of. */
function sources(site: SiteFacts): string[] {
  const found = site.entries().filter((name) => !NO_SOURCE.test(name));
  return found.length > 0
    ? found
    : ['app', 'pages', 'src', 'content', 'components', 'lib', 'public'];
}

const NO_SOURCE =
  /^(\..*|node_modules|slots|out|build|dist|coverage|tests?|__tests__|e2e|cypress|playwright.*|README.*|LICEN[CS]E.*|CHANGELOG.*|CONTRIBUTING.*|Dockerfile.*|docker-compose.*|(npm-shrinkwrap|package-lock)\.json|pnpm-lock\.yaml|pnpm-workspace\.yaml|yarn\.lock|bun\.lockb?|slots\.config\.\w+|ecosystem\.config\.\w+|next-env\.d\.ts|.*\.tsbuildinfo|(eslint|prettier|jest|vitest|biome)\..*|.*\.log)$/i;

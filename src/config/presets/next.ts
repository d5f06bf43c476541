import { configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';

/**
 * The standalone server comes without what a CDN would serve, so that goes beside it. It changes into its
 * own folder when it starts, and takes its address from `HOSTNAME`.
 */
export function next(site: SiteFacts): Preset | null {
  if (!dependsOn(site, 'next')) return null;
  const config = site.code(...configNames('next.config')) ?? '';
  return {
    name: 'Next.js',
    build: ['next', 'build'],
    copy: [
      { from: '.next/standalone', to: '.' },
      { from: '.next/static', to: '.next/static' },
      { from: 'public', to: 'public', optional: true },
    ],
    entry: 'server.js',
    env: { HOSTNAME: '127.0.0.1' },
    watch: ['app', 'pages', 'src', 'content', 'components', 'lib', 'public'],
    ...(!config.includes('standalone') && {
      todo: "set output: 'standalone' in next.config: that build is the one with a server of its own",
    }),
  };
}

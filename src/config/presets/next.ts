import { buildCommand } from './build-script.ts';
import { basePath, below } from './client-folder.ts';
import { configNames, dependsOn, type Preset, type SiteFacts } from './preset.ts';
import { sources } from './sources.ts';

/**
 * Not an address: where there is one, a rewrite of the site's own `proxy.ts` behind TLS is sent out as a request of its own,
 * and fails, since Next says `localhost` for every loopback address in one place and not in the other.
 */
const HOSTNAME = 'localhost';

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
  const base = basePath(config, 'basePath');
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
    client: [
      { folder: '.next/static', url: below(base, '/_next/static') },
      { folder: 'public', url: base },
    ],
    env: { HOSTNAME },
    ownAddress: OWN_ADDRESS,
    ...(!config.includes('standalone') && {
      todo: "set output: 'standalone' in next.config: that build is the one with a server of its own",
    }),
  };
}

/** Next trusts no Host field here, so that nobody can make a site fetch from an address of theirs. */
const OWN_ADDRESS = {
  code: /\bnextUrl\s*\.\s*(origin|host|hostname)\b|\bnew URL\(\s*\w+\.url\s*\)\s*\.\s*(origin|host|hostname)\b|\{[^{}]*\b(origin|host|hostname)\b[^{}]*\}\s*=\s*(new URL\(\s*\w+\.url\b|\w+\.nextUrl\b)/,
  instead:
    "take the visitor's host from the Host field, (await headers()).get('host'), or set the site's address in \"env\"; redirects need neither",
};

/** Next has no fixed place for content. */
function watched(site: SiteFacts): string[] {
  const found = sources(site);
  return found.length > 0
    ? found
    : ['app', 'pages', 'src', 'content', 'components', 'lib', 'public'];
}

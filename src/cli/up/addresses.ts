import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/schema.ts';
import { homePaths } from '../../slots/home.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { publicAddress } from '../front/registration.ts';
import { style } from '../terminal/style.ts';

const HTTPS_PORT = 443;

function siteAddress(config: Config): string {
  const { ports, proxy, hosts } = config;
  if (hosts) return publicAddress(homePaths(), config).url;
  const { acme, canonicalHost } = proxy.tls ?? {};
  if (acme) {
    const port = ports.proxy === HTTPS_PORT ? '' : `:${ports.proxy}`;
    return `https://${canonicalHost ?? acme.hosts[0]}${port}`;
  }
  return `${proxy.tls ? 'https' : 'http'}://localhost:${ports.proxy}`;
}

/** Where the site, its content and its status are, and how it is stopped. */
export function printAddresses(
  config: Config,
  paths: SitePaths,
  started: boolean,
  foreground: boolean,
): void {
  const watched = config.watch.map((path) => join(paths.root, path));
  const content = watched.filter((path) => existsSync(path)).join('  ');
  const rows = [
    ['site', style('bold', siteAddress(config))],
    ['content', `${content}  (edit, save, and it is live)`],
    ...(config.proxy.tls?.acme
      ? [['certs', 'npx slots certs  (browsers warn until the first one is there)']]
      : []),
    ['status', 'npx slots status --watch, or in a browser: npx slots dash'],
    ['stop', foreground && started ? 'Ctrl-C' : 'npx slots down'],
  ];
  const lines = rows.map(([what = '', where = '']) => `  ${style('dim', what.padEnd(8))} ${where}`);
  console.log(`\n${style('green', `${config.name} is up`)}\n${lines.join('\n')}\n`);
}

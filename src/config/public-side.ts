import { homePaths } from '../slots/home.ts';
import { type FrontConfig, frontSchema, loadFrontConfig } from './front.ts';
import type { Config } from './schema.ts';

/** Where visitors and CAs reach a site: at its own proxy, or at the front for a site with `hosts`. */
export interface PublicSide {
  /** Processes that have to know what the site answers. */
  workers: number;
  /** Address that they listen on. */
  host: string;
  /** The port for plain HTTP beside HTTPS; `undefined` where there is none. */
  http: number | undefined;
  https: number;
}

export function publicSide(
  { host, hosts, ports, proxy }: Pick<Config, 'host' | 'hosts' | 'ports' | 'proxy'>,
  front = readFront,
): PublicSide {
  if (!hosts) {
    const http = proxy.tls?.redirectHttp;
    return { workers: proxy.workers, host: host ?? '::', http, https: ports.proxy };
  }
  const shared = front();
  return { workers: shared.workers, host: shared.host, ...shared.ports };
}

/** The front says itself what is wrong with its file. */
function readFront(): FrontConfig {
  try {
    return loadFrontConfig(homePaths().frontConfig);
  } catch {
    return frontSchema.parse({});
  }
}

import { homePaths } from '../slots/home.ts';
import { usableFrontConfig } from './front.ts';
import type { Config } from './schema.ts';

/** Where visitors and CAs reach a site: at its own proxy, or at the front for a site with `hosts`. */
export interface PublicSide {
  /**
   * As many processes have to be there before a CA may look. One of the front is enough: front.json may say another number than
   * runs until the next reload, and each that serves the site has to acknowledge an assignment, or starts with it.
   */
  workers: number;
  /** Address that they listen on. */
  host: string;
  /** The port for plain HTTP beside HTTPS; `undefined` where there is none. */
  http: number | undefined;
  https: number;
}

export function publicSide(
  { host, hosts, ports, proxy }: Pick<Config, 'host' | 'hosts' | 'ports' | 'proxy'>,
  front = () => usableFrontConfig(homePaths().frontConfig),
): PublicSide {
  if (!hosts) {
    const http = proxy.tls?.redirectHttp;
    return { workers: proxy.workers, host: host ?? '::', http, https: ports.proxy };
  }
  const shared = front();
  return { workers: 1, host: shared.host, ...shared.ports };
}

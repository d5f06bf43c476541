/** A site's place among those that the front serves. */
import { setTimeout as delay } from 'node:timers/promises';
import { loadFrontConfig } from '../../config/front.ts';
import { contested, exampleOf } from '../../config/host-names.ts';
import { createHostTable } from '../../config/host-table.ts';
import {
  hasRegistration,
  registeredSites,
  removeRegistration,
  writeRegistration,
} from '../../config/registered-site.ts';
import type { Config } from '../../config/schema.ts';
import { SlotsError } from '../../errors.ts';
import { withFileLock } from '../../file-lock.ts';
import type { HomePaths } from '../../slots/home.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { runSocketOwners } from '../../slots/run-socket.ts';
import { FRONT_SOCKET } from '../../wire/messages.ts';
import { frontWorkers, servedBy } from './workers.ts';

const SERVED_TIMEOUT_MS = 20_000;
const LOOK_INTERVAL_MS = 50;

/** @throws SlotsError `HOST_TAKEN`, `NAME_TAKEN`, `CONFIG_INVALID` */
export function checkHosts(home: HomePaths, { root }: SitePaths, config: Config): void {
  const hosts = config.hosts ?? [];
  const table = createHostTable([{ hosts, value: true }]);
  const stray = config.proxy.tls?.acme?.hosts.find((host) => !table.find(host));
  if (stray !== undefined) {
    const what = `proxy.tls.acme.hosts: ${stray} is none of this site's "hosts" (${hosts.join(', ')})`;
    throw new SlotsError('CONFIG_INVALID', what);
  }
  const others = registeredSites(home).filter((site) => site.root !== root);
  const namesake = others.find(({ name }) => name === config.name);
  if (namesake) {
    const what = `the front serves a site ${config.name} already, of ${namesake.root}`;
    throw new SlotsError('NAME_TAKEN', what, { hint: 'set another "name" in slots.config.ts' });
  }
  const both = contested(hosts, others);
  if (both === null) return;
  throw new SlotsError('HOST_TAKEN', `hosts: ${both.host} is the host of the site ${both.by}`, {
    hint: `take it out of one of the two configs; ${both.by} gives it up by \`slots up\` or \`slots down\``,
  });
}

/** Has the front serve the site under these hosts. Whether it runs is another matter. */
export async function register(home: HomePaths, paths: SitePaths, config: Config): Promise<void> {
  await withFileLock(home.lock, async () => {
    checkHosts(home, paths, config);
    // It may have had another name at its last start.
    for (const { name, root } of registeredSites(home)) {
      if (root === paths.root && name !== config.name) removeRegistration(home, root, name);
    }
    writeRegistration(home, paths.root, config, config.hosts ?? []);
  });
}

/**
 * Takes the site out of the front, and waits until nothing of it is open there any more.
 *
 * @param limitMs for what is open, in milliseconds
 */
export async function unregister(
  home: HomePaths,
  { root, run }: SitePaths,
  name: string,
  limitMs: number,
): Promise<boolean> {
  // The folder is not made for a site that has nothing to do with it.
  if (!hasRegistration(home, name)) return false;
  const wasThere = await withFileLock(home.lock, async () => removeRegistration(home, root, name));
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if ((await runSocketOwners(run, FRONT_SOCKET)).length === 0) break;
    await delay(LOOK_INTERVAL_MS);
  }
  return wasThere;
}

/**
 * Waits until every worker of the front serves the site under its hosts.
 *
 * @throws SlotsError `FRONT_SILENT` that says why not
 */
export async function untilServed(home: HomePaths, { root }: SitePaths, config: Config) {
  const deadline = performance.now() + SERVED_TIMEOUT_MS;
  const hosts = (config.hosts ?? []).join();
  for (;;) {
    const workers = await frontWorkers(home);
    const well = servedBy(workers, root).filter((site) => site.hosts.join() === hosts);
    if (well.length > 0 && well.length === workers.length) return;
    if (performance.now() > deadline) {
      const refused = workers.flatMap(({ status }) => status?.refused ?? []);
      const why = refused.find(({ name }) => name === config.name)?.why;
      throw new SlotsError(
        'FRONT_SILENT',
        `the front does not serve ${config.name}${why ? `: ${why}` : ''}`,
        {
          hint: '`slots front status` and `pm2 logs slots-front` say more',
        },
      );
    }
    await delay(LOOK_INTERVAL_MS);
  }
}

/** Where visitors find the site. */
export function publicAddress(home: HomePaths, { hosts = [], proxy }: Config) {
  const { ports, host } = loadFrontConfig(home.frontConfig);
  const name = exampleOf(hosts.find((one) => !one.startsWith('*')) ?? hosts[0] ?? '');
  const isTls = proxy.tls !== undefined;
  const port = isTls ? ports.https : ports.http;
  const isUsual = port === (isTls ? 443 : 80);
  const url = `${isTls ? 'https' : 'http'}://${name}${isUsual ? '' : `:${port}`}`;
  return { url, name, port, listensOn: host, isTls };
}

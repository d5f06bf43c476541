/** The sites of one worker of the front: follows what is registered. */
import { mkdirSync, watch } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { FrontConfig } from '../config/front.ts';
import { createHostTable } from '../config/host-table.ts';
import { createRegistrationReader, type Registration } from '../config/registered-site.ts';
import { messageOf } from '../errors.ts';
import type { HomePaths } from '../slots/home.ts';
import { changes } from './changes.ts';
import { mayOpen } from './shares.ts';
import { type FrontSite, openSite, type Surrounding } from './site.ts';

/** Notifications are quick and can be lost; a look is neither, in milliseconds. */
const LOOK_INTERVAL_MS = 500;

/** How long a site that could not be taken up is left alone, in milliseconds. */
const RETRY_MS = 5000;

export interface Sites {
  /** @param host as `hostOf` gives it */
  find(host: string): FrontSite | undefined;
  mayOpen(site: FrontSite): boolean;
  /** Whether a load balancer may send visitors to this machine: `null` where no site has a fleet. */
  ready(): boolean | null;
  all(): FrontSite[];
  /** Registered sites that cannot be served. */
  refused(): { name: string; why: string }[];
  /** Looks at what is registered, now and from now on. */
  follow(): Promise<void>;
  /** Ends all of them; none is taken up any more. */
  end(limitMs: number): Promise<void>;
}

interface Parts {
  home: HomePaths;
  config: FrontConfig;
  number: number;
  log: Logger;
}

export function createSites({ home, config, number, log }: Parts): Sites {
  const serving = new Map<string, FrontSite>();
  /** Taken out, with connections that are still open. */
  const ending = new Map<FrontSite, Promise<void>>();
  const refused = new Map<string, { why: string; since: string; at: number }>();
  let table = createHostTable<FrontSite>([]);
  let unreadable: Registration[] = [];
  let isEnding = false;
  let revision = 0;

  const route = () => {
    const hosted = [...serving.values()].map((value) => ({
      hosts: value.registered.hosts,
      value,
    }));
    table = createHostTable(hosted);
    revision++;
    // A known head is answered without a look at its host, which may be another site's now.
    for (const { plane } of serving.values()) plane.forgetHeads();
  };

  const busySockets = () => {
    const busy = new Set<Duplex>();
    for (const { plane } of [...serving.values(), ...ending.keys()]) {
      for (const socket of plane.busySockets()) busy.add(socket);
    }
    return busy;
  };
  const around: Surrounding = {
    number,
    config,
    log,
    hosts: { find: (host) => table.find(host)?.plane.entrance ?? null, revision: () => revision },
    busySockets,
  };

  const takeOut = (name: string) => {
    const site = serving.get(name);
    if (!site) return;
    serving.delete(name);
    route();
    log.info({ event: 'front.site-removed', site: name }, `${name} is not served any more`);
    site.leaveController();
    const { drainTimeoutMs } = site.registered.config;
    const end = site.end(Math.min(drainTimeoutMs, config.drainTimeoutMs));
    ending.set(
      site,
      end.finally(() => ending.delete(site)),
    );
  };

  const takeUp = async (registered: FrontSite['registered']) => {
    const { name, since, hosts } = registered;
    const before = refused.get(name);
    if (before?.since === since && performance.now() < before.at + RETRY_MS) return;
    try {
      const site = await openSite(registered, around);
      refused.delete(name);
      serving.set(name, site);
      route();
      log.info(
        { event: 'front.site', site: name, hosts },
        `${name} is served: ${hosts.join(', ')}`,
      );
    } catch (error) {
      const why = messageOf(error);
      if (before?.why !== why) {
        log.error({ event: 'front.site-refused', site: name, error: why }, `${name}: ${why}`);
      }
      refused.set(name, { why, since, at: performance.now() });
    }
  };

  const readNow = createRegistrationReader(home);
  const look = async () => {
    const found = readNow();
    for (const one of found) {
      if (one.site || unreadable.some(({ name }) => name === one.name)) continue;
      log.error({ event: 'front.site-unreadable', site: one.name }, `${one.name}: ${one.why}`);
    }
    unreadable = found.filter(({ site }) => site === null);
    const registered = [...serving.values()].map((site) => site.registered);
    const { add, remove, rehost } = changes(registered, found);
    for (const name of remove) takeOut(name);
    for (const next of rehost) {
      const site = serving.get(next.name);
      if (site) site.registered = next;
      log.info(
        { event: 'front.site', site: next.name, hosts: next.hosts },
        `${next.name} is served as ${next.hosts.join(', ')} from now on`,
      );
    }
    if (rehost.length > 0) route();
    for (const name of refused.keys()) {
      if (!found.some((one) => one.name === name)) refused.delete(name);
    }
    // At once, since one of them may have to wait for its controller.
    await Promise.all(add.map(takeUp));
  };

  let isLooking = false;
  let isAsked = false;
  const lookNow = async (): Promise<void> => {
    isAsked = true;
    if (isLooking) return;
    isLooking = true;
    while (isAsked && !isEnding) {
      isAsked = false;
      // A folder that cannot be read now takes no site away.
      await look().catch((error: Error) =>
        log.error({ event: 'front.look-failed', error: error.message }, error.message),
      );
    }
    isLooking = false;
  };

  return {
    find: (host) => table.find(host),
    mayOpen(site) {
      const own = {
        open: site.open(),
        limit: site.registered.config.proxy.limits.connections,
      };
      const places = { total: config.limits.connections, sites: serving.size };
      return mayOpen(own, () => [...serving.values()].map((each) => each.open()), places);
    },
    ready() {
      const all = [...serving.values()].flatMap(({ plane }) => plane.readyAnswers ?? []);
      return all.length === 0 ? null : all.every((one) => one.readiness().why === undefined);
    },
    all: () => [...serving.values()],
    refused: () => [
      ...[...refused].map(([name, { why }]) => ({ name, why })),
      ...unreadable.flatMap((one) => (one.site ? [] : [{ name: one.name, why: one.why }])),
    ],
    async follow() {
      mkdirSync(home.sites, { recursive: true, mode: 0o700 });
      try {
        watch(home.sites, { persistent: false }, () => void lookNow()).on('error', () => {});
      } catch {
        // Looking is enough.
      }
      setInterval(() => void lookNow(), LOOK_INTERVAL_MS).unref();
      await lookNow();
    },
    async end(limitMs) {
      isEnding = true;
      const ends = [...serving.values()].map((site) => site.end(limitMs));
      await Promise.all([...ends, ...ending.values()]);
    },
  };
}

import { createServer, type RequestListener, type Server } from 'node:http';
import type { Config } from '../../config/schema.ts';
import { trustedAddresses } from '../../config/trusted-proxies.ts';
import type { SitePaths } from '../../slots/paths.ts';
import type { Keeper } from '../acme/keeper.ts';
import { listen } from '../control-socket.ts';
import { createDeploy } from '../deploy/deploy.ts';
import { pull } from '../deploy/git.ts';
import { createGitHook } from '../deploy/hook.ts';
import type { Logger } from '../log.ts';
import { createEventCounters, type EventCounters } from '../metrics/event-counters.ts';
import { createMetrics } from '../metrics/metrics.ts';
import type { MetricsParts } from '../metrics/snapshot.ts';
import { announceEndings } from '../notify/announce.ts';
import type { Inbox } from '../source/inbox.ts';
import type { Store } from '../store.ts';
import { createAdminPort } from './admin-port.ts';
import type { Operations } from './api.ts';
import { adminToken } from './token.ts';

export interface AdminContext extends Omit<MetricsParts, 'eventCounters' | 'inbox' | 'keeper'> {
  config: Config;
  paths: SitePaths;
  store: Store;
  inbox: Inbox;
  log: Logger;
  operations: Operations;
  /** `null` where no certificates are ordered. */
  keeper: Keeper | null;
}

const LOOPBACK = ['127.0.0.1', 'localhost', '::1'];
const EVERYWHERE = ['0.0.0.0', '::'];

/**
 * Where the site lock listens: on the loopback address, or on every address. Another one would not
 * keep a second controller with another `admin.host` out.
 */
export function lockHost({ admin }: Config): string {
  return EVERYWHERE.includes(admin.host) ? admin.host : '127.0.0.1';
}

/** Answers the admin port, on another address too if the config says so, and tells others how promotions end. */
export async function openAdmin(server: Server, context: AdminContext): Promise<void> {
  const { config, paths, log } = context;
  const { host, hosts } = config.admin;
  const eventCounters = createEventCounters();
  announceEndings({ ...context, eventCounters });
  const isElsewhere = ![...LOOPBACK, ...EVERYWHERE].includes(host);
  const app = createAdminPort({
    operations: context.operations,
    metrics: createMetrics({ ...context, eventCounters }),
    gitHook: createHook(context, eventCounters),
    token: await adminToken(paths),
    hosts: isElsewhere ? [...hosts, host.includes(':') ? `[${host}]` : host] : hosts,
  });
  await app.ready();
  server.on('request', app.routing);
  if (isElsewhere) await listenElsewhere(config, app.routing, log);
}

/** The site does not depend on it: what goes wrong here is said, and everything else goes on. */
async function listenElsewhere({ admin, ports }: Config, listener: RequestListener, log: Logger) {
  const server = createServer(listener);
  try {
    await listen(server, { host: admin.host, port: ports.admin });
  } catch (error) {
    const { message } = error as Error;
    log.error({ event: 'admin.listen-failed', host: admin.host, error: message }, message);
  }
}

function createHook({ config, paths, store, inbox, log }: AdminContext, { pushes }: EventCounters) {
  if (!config.deploy?.git) return null;
  const deploy = createDeploy({
    pull: (onMove) => pull(paths.root, onMove),
    store,
    inbox,
    counters: pushes,
    log,
  });
  const trusted = trustedAddresses(config.proxy.trustedProxies);
  return createGitHook({ secret: config.deploy.secret, trusted, deploy, log });
}

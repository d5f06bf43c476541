import type { ProxyConfig } from '../config/proxy-schema.ts';
import { hstsField } from '../config/tls-schema.ts';
import { type PerSlot, SLOTS, type Slot } from '../slots/slot.ts';
import { createReleaseCache } from './cache/cache.ts';
import type { ReleaseFiles } from './cache/release-files.ts';
import { createCompression } from './compress/compression.ts';
import type { DataPlane, DataPlaneOptions } from './data-plane.ts';
import { createMonotonic } from './fleet/hold.ts';
import { createPassOn } from './fleet/pass-on.ts';
import { createReadyAnswers } from './fleet/ready-answer.ts';
import { audit, type Owners } from './forward/audit.ts';
import { createCanonicalEntrance } from './forward/canonical-entrance.ts';
import { createEntrance, createProxy } from './forward/entrance.ts';
import { createForwarding } from './forward/forwarding.ts';
import { createFromCache } from './forward/from-cache.ts';
import { createHostedEntrance } from './forward/hosted-entrance.ts';
import { createLimiter } from './forward/limiter.ts';
import { createMaintenanceEntrance } from './forward/maintenance-entrance.ts';
import { createAccessLog } from './metrics/access-log.ts';
import { createWorkerCounters } from './metrics/counters.ts';
import { createInflight } from './metrics/inflight.ts';
import { createPeerLimiter } from './request/peer-limiter.ts';
import { createPreparation } from './request/preparation.ts';
import { createRouter } from './router.ts';
import { createSlotConnections } from './slot/connections.ts';
import { createInstanceConnections } from './slot/instances.ts';
import { trackConnections } from './visitor/connections.ts';
import { createErrorAnswers } from './visitor/error-answer.ts';
import { createListener, serveVisitors } from './visitor/listener.ts';
import { keepAliveSeconds, readPlainRequests } from './visitor/plain-listener.ts';
import { keepAliveFields } from './visitor/plain-response.ts';
import { watchForStandstill } from './visitor/standstill.ts';
import { createUpgrades } from './websocket/upgrade.ts';

const NO_FILES: ReleaseFiles = { has: () => false, follow: () => {} };

const toStdout = (text: string): void => void process.stdout.write(text);

export function createDataPlane(
  config: ProxyConfig,
  ports: PerSlot<number>,
  {
    writeLog = toStdout,
    onFault = () => {},
    onBadAnswer = () => {},
    sockets,
    keptFiles,
    cache: cacheConfig = false,
    releaseFiles = NO_FILES,
    hosts,
    fleet,
    certificates,
  }: DataPlaneOptions = {},
): DataPlane {
  const router = createRouter();
  const hsts = hstsField(config.tls);
  const { counters, traffic, serve } = createWorkerCounters();
  const shared = {
    inflight: createInflight(),
    counters,
    traffic,
    errors: createErrorAnswers(config.errorPages ?? null, hsts),
    release: (slot: Slot) => (config.exposeRelease ? router.current().slots[slot].release : null),
    fallback: router.fallback,
  };
  const keepsInstance = config.affinity === 'cookie';
  let isStopping = false;
  const stopping = () => isStopping;
  const proxy = createProxy();
  const accessLog = config.accessLog ? createAccessLog(writeLog) : null;
  const { slotClients, limiters } = createSlotParts(config, ports, sockets);
  const context = {
    ...shared,
    ports,
    slotClients,
    limiters,
    limits: config.limits,
    keptFiles: keptFiles ?? null,
    compression: config.compress ? createCompression() : null,
    keepsInstance,
    hsts,
    stopping,
    onFault,
    onBadAnswer,
  };
  const cache = cacheConfig ? createReleaseCache(cacheConfig, releaseFiles) : null;
  if (cache) counters.cache = cache.counts;
  const fromCache =
    cache &&
    createFromCache({
      cache,
      router,
      context,
      accessLog,
      upstreamTimeoutMs: config.upstreamTimeoutMs,
      connectionFields: keepAliveFields(keepAliveSeconds(config)),
    });
  const forwarding = createForwarding(context, config.upstreamTimeoutMs, (exchange) =>
    accessLog?.write(exchange),
  );
  const limits = { ...config.limits, upstreamTimeoutMs: config.upstreamTimeoutMs };
  const upgrades = createUpgrades({
    ...shared,
    proxy,
    ports,
    limiters,
    limits,
    sockets: keepsInstance ? sockets : undefined,
  });
  const prepare = createPreparation(config);
  const peers = createPeerLimiter(limits.inflightPerPeer);
  const readyAnswers = fleet ? createReadyAnswers(fleet, router.current) : null;
  const monotonic = fleet?.monotonic
    ? createMonotonic({
        current: router.current,
        passOn: createPassOn(config.tls !== undefined),
        onFault,
      })
    : null;
  const parts = {
    ...shared,
    readyAnswers,
    monotonic,
    router,
    proxy,
    prepare,
    peers,
    forwarding,
    upgrades,
    stopping,
    fromCache,
  };
  const answersReady = readyAnswers !== null;
  const canonicalHost = config.tls?.canonicalHost;
  const first = createMaintenanceEntrance(createEntrance(parts), {
    current: router.current,
    prepare,
    trustedProxies: config.trustedProxies,
    errors: shared.errors,
    counters,
    answersReady,
    stopping,
  });
  const entrance = canonicalHost
    ? createCanonicalEntrance(first, {
        canonicalHost,
        errors: shared.errors,
        counters,
        answersReady,
        stopping,
      })
    : first;
  const visited = hosts
    ? createHostedEntrance(entrance, {
        hosts,
        errors: createErrorAnswers(null),
        counters,
        answersReady,
        stopping,
      })
    : entrance;

  const forgetHeads = () => fromCache?.heads?.forgetAll();
  const server = createListener(config, certificates, hosts !== undefined);
  serveVisitors(server, shared.errors, visited);
  readPlainRequests(server, config, shared.errors, visited.plain);
  const connections = trackConnections(server);
  watchForStandstill(server, connections, config);

  return {
    server,
    entrance,
    inflight: shared.inflight,
    counters,
    upgrades,
    connections,
    readyAnswers,
    current: router.current,
    assign(next) {
      readyAnswers?.heard();
      const before = router.current().fleet?.epoch;
      if (router.flip(next)) {
        for (const slot of SLOTS) serve(slot, next.slots[slot].release);
        cache?.follow({ blue: next.slots.blue.release, green: next.slots.green.release });
        // An earlier release may be live again, and what is known of its requests tells nobody the new epoch.
        if (monotonic && next.fleet?.epoch !== before) forgetHeads();
        monotonic?.flipped();
      }
      return router.current();
    },
    cut(slot) {
      forwarding.cut(slot);
      return upgrades.cut(slot);
    },
    stop() {
      isStopping = true;
    },
    busySockets: () => {
      const waiting = [...(fromCache?.waiting() ?? [])].map(({ socket }) => socket);
      const held = monotonic?.sockets() ?? [];
      return new Set([...forwarding.sockets(), ...upgrades.clients(), ...waiting, ...held]);
    },
    cache,
    fillAhead: async (slot, withinMs) => (await fromCache?.fillAhead(slot, withinMs)) ?? 0,
    forgetHeads,
    compression: context.compression,
    flushLog: () => accessLog?.flush(),
    places: () => ({ blue: limiters.blue.held(), green: limiters.green.held() }),
    audit: () =>
      audit({
        endDead: () => forwarding.endDead() + upgrades.endDead(),
        owners: (slot) => addOwners(forwarding.owners(slot), upgrades.owners(slot)),
        connections: slotClients,
        places: limiters,
        inflight: shared.inflight,
      }),
  };
}

function addOwners(a: Owners, b: Owners): Owners {
  return { places: a.places + b.places, inflight: a.inflight + b.inflight };
}

function createSlotParts(
  config: ProxyConfig,
  ports: PerSlot<number>,
  sockets: PerSlot<string[]> | undefined,
) {
  const limits = {
    connectTimeoutMs: config.limits.connectTimeoutMs,
    bodyTimeoutMs: config.limits.upstreamIdleTimeoutMs,
    headBytes: config.limits.answerHeadBytes,
  };
  const connectionsTo = (slot: Slot) => {
    const port = createSlotConnections({ port: ports[slot] }, limits);
    return sockets ? createInstanceConnections(sockets[slot], port, limits) : port;
  };
  return {
    slotClients: { blue: connectionsTo('blue'), green: connectionsTo('green') },
    limiters: { blue: createLimiter(config.limits), green: createLimiter(config.limits) },
  };
}

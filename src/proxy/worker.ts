import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CacheConfig } from '../config/cache-schema.ts';
import type { ProxyConfig } from '../config/proxy-schema.ts';
import { hstsField } from '../config/tls-schema.ts';
import { type PerSlot, SLOTS, type Slot } from '../slots/slot.ts';
import type { Assignment } from '../wire/assignment.ts';
import type { Counters } from '../wire/messages.ts';
import { createReleaseCache, type ReleaseCache } from './cache/cache.ts';
import type { ReleaseFiles } from './cache/release-files.ts';
import { type Compression, createCompression } from './compress/compression.ts';
import { createMonotonic } from './fleet/hold.ts';
import { createPassOn } from './fleet/pass-on.ts';
import { createReadyAnswers, type ReadyAnswers } from './fleet/ready-answer.ts';
import type { FleetSide } from './fleet/side.ts';
import { audit, type Leak, type Owners } from './forward/audit.ts';
import { createCanonicalEntrance } from './forward/canonical-entrance.ts';
import { createEntrance, createProxy, type Entrance } from './forward/entrance.ts';
import { createForwarding } from './forward/forwarding.ts';
import { createFromCache } from './forward/from-cache.ts';
import { createHostedEntrance, type Hosts } from './forward/hosted-entrance.ts';
import { createLimiter } from './forward/limiter.ts';
import { createAccessLog } from './metrics/access-log.ts';
import { createWorkerCounters } from './metrics/counters.ts';
import { createInflight, type Inflight } from './metrics/inflight.ts';
import { createPeerLimiter } from './request/peer-limiter.ts';
import { createPreparation } from './request/preparation.ts';
import { createRouter } from './router.ts';
import type { KeptFiles } from './skew/kept-files.ts';
import { createSlotConnections } from './slot/connections.ts';
import { createInstanceConnections } from './slot/instances.ts';
import { trackConnections, type VisitorConnections } from './visitor/connections.ts';
import { createErrorAnswers } from './visitor/error-answer.ts';
import { createListener, serveVisitors } from './visitor/listener.ts';
import { keepAliveSeconds, readPlainRequests } from './visitor/plain-listener.ts';
import { keepAliveFields } from './visitor/plain-response.ts';
import { watchForStandstill } from './visitor/standstill.ts';
import type { OrderedCertificates } from './visitor/tls.ts';
import { createUpgrades, type Upgrades } from './websocket/upgrade.ts';

/** The data plane of one worker. */
export interface DataPlane {
  server: Server;
  /** What the server's requests go to. */
  entrance: Entrance;
  inflight: Inflight;
  counters: Counters;
  upgrades: Upgrades;
  connections: VisitorConnections;
  /** `null` without a fleet. */
  readyAnswers: ReadyAnswers | null;
  /** The assignment that the next request is routed by. */
  current(): Assignment;
  /** Routes by this assignment from the next request on, unless it is older than the current one. */
  assign(next: Assignment): Assignment;
  /** Ends what is still open on a slot; settles when its tunnels are closed. */
  cut(slot: Slot): Promise<void>;
  /** From here on each connection's next answer is its last one. */
  stop(): void;
  /** The connections that a request or a WebSocket is on. */
  busySockets(): Set<Duplex>;
  /** `null` without a cache. */
  cache: ReleaseCache | null;
  /**
   * Asks a candidate for what visitors have asked of the live release, and stores it.
   *
   * @param withinMs in all, in milliseconds
   * @returns how many URLs were asked for
   */
  fillAhead(slot: Slot, withinMs: number): Promise<number>;
  /** What is known by a request's head alone may be wrong from now on, though what is stored is right. */
  forgetHeads(): void;
  /** `null` where answers go out as they come. */
  compression: Compression | null;
  /** Writes out what the access log still holds. */
  flushLog(): void;
  /** How many places of each slot's limiter are taken. */
  places(): PerSlot<number>;
  /** Sets right what is counted for nobody, and says what that was. */
  audit(): Leak[];
}

export interface DataPlaneOptions {
  /** Takes the access log's lines, if there is one (`proxy.accessLog`). */
  writeLog?: (text: string) => void;
  /** Is told of what one request has thrown, and only that request has ended of. */
  onFault?: ((error: Error) => void) | undefined;
  /** Is told of answers that no visitor can be given. */
  onBadAnswer?: ((slot: Slot, error: Error) => void) | undefined;
  /** Of the instances of each slot; without them all requests go to its port. */
  sockets?: PerSlot<string[]> | undefined;
  /** Files of earlier releases, where any are kept. */
  keptFiles?: KeptFiles | undefined;
  /** `false` or left out: answers are not stored. */
  cache?: CacheConfig | false | undefined;
  /**
   * Makes it one of several behind ports that somebody else listens on: the server is given connections, and a request may be
   * for another site's host.
   */
  hosts?: Hosts | undefined;
  /** Not there without a fleet. */
  fleet?: FleetSide | undefined;
  /** Which URLs are files of a release. */
  releaseFiles?: ReleaseFiles | undefined;
  /** Left out: those of the config's files, if any. */
  certificates?: OrderedCertificates | undefined;
}

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
  const first = createEntrance(parts);
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

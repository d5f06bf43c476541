import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { createProxyServer } from 'http-proxy-3';
import type { ProxyConfig } from '../config/proxy-schema.ts';
import { type PerSlot, SLOTS, type Slot } from '../slots/slot.ts';
import type { Assignment } from '../wire/assignment.ts';
import type { Counters } from '../wire/messages.ts';
import type { ExchangeContext } from './forward/context.ts';
import { createForwarding } from './forward/forwarding.ts';
import { createLimiter } from './forward/limiter.ts';
import { createAccessLog } from './metrics/access-log.ts';
import { createWorkerCounters } from './metrics/counters.ts';
import { createInflight, type Inflight } from './metrics/inflight.ts';
import { createPreparation } from './request/preparation.ts';
import { fallback, isNewer, NOWHERE } from './router.ts';
import { createSlotClient } from './slot/client.ts';
import { trackConnections, type VisitorConnections } from './visitor/connections.ts';
import { createErrorAnswers, type ErrorAnswer, FIRST_BUILD } from './visitor/error-answer.ts';
import { endSoon } from './visitor/linger.ts';
import { createListener, refuseBadBytes } from './visitor/listener.ts';
import { createUpgrades, type Upgrades } from './websocket/upgrade.ts';

/** The data plane of one worker. */
export interface DataPlane {
  server: Server;
  inflight: Inflight;
  counters: Counters;
  upgrades: Upgrades;
  connections: VisitorConnections;
  /** The assignment that the next request is routed by. */
  current(): Assignment;
  /** Routes by this assignment from the next request on, unless it is older than the current one. */
  assign(next: Assignment): Assignment;
  /** Ends what is still open on a slot. */
  cut(slot: Slot): void;
  /** From here on each connection's next answer is its last one. */
  stop(): void;
  /** The connections that a request or a WebSocket is on. */
  busySockets(): Set<Duplex>;
  /** Writes out what the access log still holds. */
  flushLog(): void;
}

/** What http-proxy-3 asks for; the passes of ours know better. */
const ANY_TARGET = { host: '127.0.0.1', port: 0 };

/** @param writeLog takes the access log's lines, if there is one (`proxy.accessLog`) */
export function createDataPlane(
  config: ProxyConfig,
  ports: PerSlot<number>,
  writeLog: (text: string) => void = (text) => process.stdout.write(text),
): DataPlane {
  let assignment: Assignment = NOWHERE;
  let stopping = false;
  const errors = createErrorAnswers(config.errorPages ?? null);
  const workerCounters = createWorkerCounters();
  const proxy = createProxyServer({ target: ANY_TARGET, prependPath: false, toProxy: true });
  const shared = {
    inflight: createInflight(),
    counters: workerCounters.counters,
    traffic: workerCounters.traffic,
    errors,
    release: (slot: Slot) => (config.exposeRelease ? assignment.slots[slot].release : null),
    fallback: (refused: Slot) => fallback(assignment, refused),
  };
  const context: ExchangeContext = {
    ...shared,
    ...createSlotParts(config, ports),
    limits: config.limits,
    stopping: () => stopping,
  };
  const upgrades = createUpgrades({
    ...shared,
    proxy,
    ports,
    limits: { ...config.limits, upstreamTimeoutMs: config.upstreamTimeoutMs },
  });
  const prepare = createPreparation(config);
  const accessLog = config.accessLog ? createAccessLog(writeLog) : null;
  const forwarding = createForwarding(context, config.upstreamTimeoutMs, (exchange) =>
    accessLog?.write(exchange),
  );

  const refuse = (request: IncomingMessage, response: ServerResponse, answer: ErrorAnswer) => {
    (workerCounters.counters.refused[(answer.status / 100) | 0] as number)++;
    errors.send(request, response, answer);
  };

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (stopping) response.shouldKeepAlive = false;
    // RFC 9112 §9.6: what follows a request whose answer says `close` is not processed any more.
    if (errors.hasRefused(request.socket)) request.resume();
    else if (assignment.active === null) refuse(request, response, FIRST_BUILD);
    else proxy.web(request, response);
  };

  /** The pass: routed by the assignment of this instant, which nothing can change before `begin` returns. */
  const forward = (request: IncomingMessage, response: ServerResponse): true => {
    const ready = prepare(request);
    if ('status' in ready) {
      refuse(request, response, ready);
      return true;
    }
    forwarding.begin(request, response, assignment.active as Slot, ready);
    return true;
  };
  // First of all passes: the ones before `stream` change the request in ways that allow smuggling (hazard 1).
  proxy.before('web', 'deleteLength', forward as never);
  // http-proxy-3 throws when nobody listens; each request is answered where it fails.
  proxy.on('error', () => {});

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ready = assignment.active === null ? FIRST_BUILD : prepare(request);
    if ('status' in ready) {
      endSoon(socket, errors.raw(request.headers.accept, ready));
    } else upgrades.handle(request, socket, head, assignment.active as Slot, ready.headers);
  };

  const server = createListener(config);
  const connections = trackConnections(server);
  server.on('request', answer);
  // Without this Node invites a body that may be refused; an upload asks for it when the slot wants it.
  server.on('checkContinue', answer);
  server.on('upgrade', upgrade);
  refuseBadBytes(server, errors, forwarding.isAnsweringOn);

  return {
    server,
    inflight: shared.inflight,
    counters: workerCounters.counters,
    upgrades,
    connections,
    current: () => assignment,
    assign(next) {
      if (!isNewer(next, assignment)) return assignment;
      assignment = next;
      for (const slot of SLOTS) workerCounters.serve(slot, next.slots[slot].release);
      return assignment;
    },
    cut(slot) {
      forwarding.cut(slot);
      void upgrades.cut(slot);
    },
    stop() {
      stopping = true;
    },
    busySockets: () => new Set([...forwarding.sockets(), ...upgrades.clients()]),
    flushLog: () => accessLog?.flush(),
  };
}

function createSlotParts(config: ProxyConfig, ports: PerSlot<number>) {
  const limits = {
    connectTimeoutMs: config.limits.connectTimeoutMs,
    headersTimeoutMs: config.upstreamTimeoutMs,
    bodyTimeoutMs: config.limits.upstreamIdleTimeoutMs,
  };
  return {
    slotClients: {
      blue: createSlotClient(ports.blue, limits),
      green: createSlotClient(ports.green, limits),
    },
    limiters: { blue: createLimiter(config.limits), green: createLimiter(config.limits) },
  };
}

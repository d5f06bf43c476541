/** The data plane in this process, between real sockets on both sides. */
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
} from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { cacheSchema } from '../../src/config/cache-schema.ts';
import { proxySchema } from '../../src/config/proxy-schema.ts';
import type { DataPlane } from '../../src/proxy/data-plane.ts';
import type { FleetSide } from '../../src/proxy/fleet/side.ts';
import type { KeptFiles } from '../../src/proxy/skew/kept-files.ts';
import { createDataPlane } from '../../src/proxy/worker.ts';
import type { PerSlot, Slot } from '../../src/slots/slot.ts';
import type { Assignment, FleetStanding, MaintenanceNotice } from '../../src/wire/assignment.ts';
import { freePorts } from './free-ports.ts';
import { type Wire, watch } from './raw-http.ts';
import { until } from './until.ts';

export interface PlaneOptions {
  /** `proxy` of a slots.config.ts. */
  proxy?: z.input<typeof proxySchema>;
  /** An origin's port for the slot; nobody listens when it is left out. */
  blue?: number;
  green?: number;
  /** `blue` unless told otherwise; `null`: no release is live yet. */
  active?: Slot | null;
  warm?: Partial<PerSlot<boolean>>;
  release?: Partial<PerSlot<string | null>>;
  /** Is told of what one request has thrown. */
  onFault?: (error: Error) => void;
  /** Is told of answers that no visitor can be given. */
  onBadAnswer?: (slot: Slot, error: Error) => void;
  /** `cache` of a slots.config.ts; none without it. */
  cache?: z.input<typeof cacheSchema>;
  /** URLs that are files of every release. */
  files?: string[];
  /** Of each slot's instances. */
  sockets?: PerSlot<string[]>;
  /** Files of earlier releases. */
  keptFiles?: KeptFiles;
  /** Of the config, and what the controller says of this machine. */
  fleet?: FleetSide;
  standing?: FleetStanding;
  /** Takes the access log's lines, with `proxy.accessLog`. */
  writeLog?: (text: string) => void;
  /** `null`: no longer. */
  maintenance?: MaintenanceNotice | null;
}

export interface RunningPlane {
  port: number;
  plane: DataPlane;
  /** Assigns anew, with the next epoch: what is left out stays as it was. */
  assign(
    change: Pick<PlaneOptions, 'active' | 'warm' | 'release' | 'standing' | 'maintenance'>,
  ): Assignment;
}

/** Serves on a free port of 127.0.0.1 until the test has finished. */
export async function startPlane(options: PlaneOptions = {}): Promise<RunningPlane> {
  const [spareBlue, spareGreen] = (await freePorts(2)) as [number, number];
  const ports = { blue: options.blue ?? spareBlue, green: options.green ?? spareGreen };
  const plane = createDataPlane(proxySchema.parse(options.proxy ?? {}), ports, {
    writeLog: options.writeLog,
    onFault: options.onFault,
    onBadAnswer: options.onBadAnswer,
    sockets: options.sockets,
    cache: options.cache === undefined ? false : cacheSchema.parse(options.cache),
    releaseFiles: {
      has: (_release, path) => options.files?.includes(path) === true,
      follow: () => {},
    },
    keptFiles: options.keptFiles,
    fleet: options.fleet,
  });
  const known = {
    active: options.active === undefined ? ('blue' as const) : options.active,
    warm: { blue: true, green: true, ...options.warm },
    release: { blue: 'release-blue', green: 'release-green', ...options.release },
    standing: options.standing,
    maintenance: options.maintenance ?? null,
  };
  const target = (slot: Slot) => ({
    port: ports[slot],
    warm: known.warm[slot],
    release: known.release[slot],
  });
  const assign: RunningPlane['assign'] = ({ active = known.active, ...change }) => {
    const { warm, release, standing, maintenance } = change;
    known.active = active;
    known.standing = standing ?? known.standing;
    if (maintenance !== undefined) known.maintenance = maintenance;
    Object.assign(known.warm, warm);
    Object.assign(known.release, release);
    const epoch = plane.current().epoch + 1;
    const slots = { blue: target('blue'), green: target('green') };
    const fleet = known.standing;
    return plane.assign({
      epoch,
      revision: epoch,
      active,
      slots,
      ...(fleet && { fleet }),
      ...(known.maintenance && { maintenance: known.maintenance }),
    });
  };
  if (known.active !== null) assign({});
  return { port: await listen(plane.server), plane, assign };
}

export interface Origin {
  port: number;
  server: Server;
  /** One for each connection that was accepted. */
  wires: Wire[];
  /** Everything that came, over all connections in the order of their opening. */
  received(): string;
  /** Bytes that came, over all connections. */
  bytesRead(): number;
}

/** A site on node:http, until the test has finished; on a free port unless told otherwise. */
export function startOrigin(
  handler: RequestListener,
  options: ServerOptions = {},
  port = 0,
): Promise<Origin> {
  const server = createHttpServer({ keepAliveTimeout: 60_000, ...options }, handler);
  return serveOrigin(server, undefined, port);
}

/** A site that speaks bytes: it is called with each connection, and with nothing read from it yet. */
export function startRawOrigin(onConnection: (wire: Wire) => void): Promise<Origin> {
  return serveOrigin(createServer(), onConnection);
}

/** A site on node:http that answers 200 and tells what it got, as JSON. */
export function startEcho(): Promise<Origin> {
  return startOrigin(async (request, response) => {
    const body = await readAll(request).catch(() => null);
    if (body === null) return;
    const { method, url, rawHeaders, rawTrailers } = request;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }));
  });
}

/** A raw site that answers every connection's first request with these bytes, once all its head has come. */
export function startFixed(bytes: string | Buffer, then: (wire: Wire) => void = () => {}) {
  return startRawOrigin(async (wire) => {
    const came = await wire.until('\r\n\r\n').catch(() => null);
    if (came === null) return;
    wire.send(bytes);
    then(wire);
  });
}

/** A raw site that never says anything by itself. */
export async function startSilent() {
  const site = await startRawOrigin(() => {});
  const connection = () => until(() => site.wires[0], 'a connection to the site');
  return { ...site, connection };
}

export async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const piece of request) chunks.push(piece as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

export async function serveOrigin(
  server: Server,
  onConnection?: (wire: Wire) => void,
  port = 0,
): Promise<Origin> {
  const wires: Wire[] = [];
  server.on('connection', (socket: Socket) => {
    const wire = watch(socket);
    wires.push(wire);
    onConnection?.(wire);
  });
  return {
    port: await listen(server, port),
    server,
    wires,
    received: () => wires.map((wire) => wire.text()).join(''),
    bytesRead: () => wires.reduce((sum, wire) => sum + wire.socket.bytesRead, 0),
  };
}

/** Listens until the test has finished; then every connection is gone too, upgraded ones included. */
async function listen(server: Server, port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

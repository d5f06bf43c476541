import type { ClientRequest, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProxyServer } from 'http-proxy-3';
import { ifStillSilent } from '../../after-reading.ts';
import type { PerSlot, Slot } from '../../slots/slot.ts';
import type { Counters, Traffic } from '../../wire/messages.ts';
import type { Owners } from '../forward/audit.ts';
import type { Limiter, PlaceOwner } from '../forward/limiter.ts';
import type { Inflight } from '../metrics/inflight.ts';
import { wantedInstance } from '../request/affinity.ts';
import { connectSlot } from '../slot/connect.ts';
import { wasRefused, wasTimeout } from '../slot/failure.ts';
import {
  BAD_GATEWAY,
  BAD_REQUEST,
  BUSY,
  type ErrorAnswer,
  type ErrorAnswers,
  GATEWAY_TIMEOUT,
  UNAVAILABLE,
} from '../visitor/error-answer.ts';
import { endSoon } from '../visitor/linger.ts';
import { goingAwayFrame } from './frames.ts';
import { type Relay, relay } from './relay.ts';
import { callSlot } from './upgrade-call.ts';

/** How long one side may take to close once the other has, in milliseconds. */
const CLOSE_GRACE_MS = 1000;

/** How long a tunnel with one end closed may stand still: a visitor who is gone looks like one who only listens. */
const HALF_CLOSED_IDLE_MS = 60_000;

export interface UpgradeContext {
  proxy: ProxyServer;
  ports: PerSlot<number>;
  /** Of each slot's instances, where visitors stay with one (`proxy.affinity`). */
  sockets: PerSlot<string[]> | undefined;
  inflight: Inflight;
  counters: Counters;
  traffic: PerSlot<Traffic>;
  errors: ErrorAnswers;
  limiters: PerSlot<Limiter>;
  limits: { connectTimeoutMs: number; upstreamTimeoutMs: number };
  release(slot: Slot): string | null;
  fallback(refused: Slot): Slot | null;
}

export interface Upgrades {
  /** @param headers as the slot is to get them, but for `Connection` and `Upgrade` */
  handle(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    slot: Slot,
    headers: string[],
  ): void;
  /** Closes the tunnels of a slot, with a close frame at a frame's end where there is one within a second. */
  cut(slot: Slot): Promise<void>;
  /** Ends what is open for visitors who are gone; how many there were. */
  endDead(): number;
  /** Of the upgrades and tunnels of a slot. */
  owners(slot: Slot): Owners;
  /** The visitors' connections. */
  clients(): Duplex[];
  count(): number;
}

interface Tunnel {
  slot: Slot;
  client: Duplex;
  slotSocket: Socket | null;
  outgoing: ClientRequest | null;
  /** Holds a place in the slot's limiter, or waits for one: an upgrade is a request until it is a tunnel. */
  place: (PlaceOwner & { isHeld: boolean }) | null;
  /** The slot has refused the upgrade, or we have. */
  answered: boolean;
  /** Both directions, once the slot has agreed to the upgrade. */
  relays: { toClient: Relay; toSlot: Relay } | null;
}

/** One upgrade request, as it came and as it is to go on. */
interface UpgradeRequest {
  request: IncomingMessage;
  head: Buffer;
  headers: string[];
}

/** WebSocket tunnels, over http-proxy-3's own passes and behind guards for what those let through. */
export function createUpgrades(context: UpgradeContext): Upgrades {
  const { inflight, counters, errors, limiters, limits } = context;
  const tunnels = new Set<Tunnel>();

  const leavePlace = (tunnel: Tunnel) => {
    const { place } = tunnel;
    tunnel.place = null;
    if (place) limiters[tunnel.slot].leave(place);
  };

  /** A tunnel counts until both of its sides are closed: the slot may still be busy with it. */
  const settle = (tunnel: Tunnel) => {
    const { client, slotSocket } = tunnel;
    if (!client.closed || (slotSocket && !slotSocket.closed)) return;
    leavePlace(tunnel);
    if (tunnels.delete(tunnel)) inflight.leave(tunnel.slot);
  };

  const refuse = (tunnel: Tunnel, request: IncomingMessage, answer: ErrorAnswer) => {
    leavePlace(tunnel);
    if (tunnel.answered || tunnel.relays || !tunnel.client.writable) return;
    tunnel.answered = true;
    endSoon(tunnel.client, errors.raw(request.headers.accept, answer));
  };

  const fail = (tunnel: Tunnel, request: IncomingMessage, error: Error) => {
    if (!tunnel.answered && !tunnel.relays) counters.upstreamErrors[tunnel.slot]++;
    refuse(tunnel, request, explain(error));
  };

  const enter = (tunnel: Tunnel, upgrade: UpgradeRequest, retried: boolean) => {
    const place = {
      isHeld: false,
      admitted() {
        place.isHeld = true;
        const cookies = upgrade.request.headers.cookie;
        const wanted = context.sockets?.[tunnel.slot][wantedInstance(cookies)];
        connect(tunnel, upgrade, retried, wanted);
      },
      turnedAway() {
        tunnel.place = null;
        refuse(tunnel, upgrade.request, BUSY);
      },
    };
    tunnel.place = place;
    limiters[tunnel.slot].enter(place);
  };

  /** @param wanted the socket of the instance that the visitor stays with; without it, or refused there, the slot's port */
  const connect = (
    tunnel: Tunnel,
    upgrade: UpgradeRequest,
    retried: boolean,
    wanted: string | undefined,
  ) => {
    const decide = (error: Error | null, slotSocket: Socket | null) => {
      if (tunnel.client.destroyed) return void slotSocket?.destroy();
      if (slotSocket) return open(tunnel, slotSocket, upgrade);
      if (wanted !== undefined) return connect(tunnel, upgrade, retried, undefined);
      const other = wasRefused(error as Error) ? context.fallback(tunnel.slot) : null;
      if (retried || other === null) return fail(tunnel, upgrade.request, error as Error);
      counters.failovers++;
      leavePlace(tunnel);
      inflight.enter(other);
      inflight.leave(tunnel.slot);
      tunnel.slot = other;
      enter(tunnel, upgrade, true);
    };
    const address = wanted === undefined ? { port: context.ports[tunnel.slot] } : { path: wanted };
    const slotSocket = new Socket({ allowHalfOpen: true, noDelay: true });
    tunnel.slotSocket = connectSlot(address, limits.connectTimeoutMs, slotSocket, decide);
    tunnel.slotSocket.on('close', () => settle(tunnel));
  };

  const open = (tunnel: Tunnel, slotSocket: Socket, upgrade: UpgradeRequest) => {
    tunnel.outgoing = callSlot({
      ...upgrade,
      proxy: context.proxy,
      client: tunnel.client,
      slotSocket,
      answerTimeoutMs: limits.upstreamTimeoutMs,
      release: context.release(tunnel.slot),
      onUpgraded: () => {
        leavePlace(tunnel);
        (context.traffic[tunnel.slot].classes[1] as number)++;
        takeOver(tunnel);
      },
      onRefused: () => {
        tunnel.answered = true;
      },
      onError: (error) => fail(tunnel, upgrade.request, error),
    });
  };

  return {
    handle(request, client, head, slot, headers) {
      const tunnel: Tunnel = {
        slot,
        client,
        slotSocket: null,
        outgoing: null,
        place: null,
        answered: false,
        relays: null,
      };
      tunnels.add(tunnel);
      inflight.enter(slot);
      client.on('error', () => {});
      client.on('end', () => {
        // Nobody is there to be told about the upgrade; once it stands, each direction ends for itself.
        if (!tunnel.relays && !tunnel.answered) client.destroy();
      });
      client.on('close', () => {
        endSlotSide(tunnel);
        // One that waits for its place has no connection that would say so later.
        settle(tunnel);
      });
      if (!isWebSocket(request)) return refuse(tunnel, request, BAD_REQUEST);
      enter(tunnel, { request, head, headers }, false);
    },

    async cut(slot) {
      await Promise.all([...tunnels].filter((tunnel) => tunnel.slot === slot).map(close));
    },

    endDead() {
      const dead = [...tunnels].filter(({ client }) => client.destroyed);
      for (const tunnel of dead) {
        endSlotSide(tunnel);
        settle(tunnel);
      }
      return dead.length;
    },

    owners(slot) {
      const all = [...tunnels].filter((tunnel) => tunnel.slot === slot);
      return { places: all.filter(({ place }) => place?.isHeld).length, inflight: all.length };
    },
    clients: () => [...tunnels].map(({ client }) => client),
    count: () => tunnels.size,
  };
}

/** A visitor that leaves before the 101 would leave the slot's request open for ever (hazard 8). */
function endSlotSide({ slotSocket, outgoing, relays }: Tunnel): void {
  if (!relays) {
    outgoing?.destroy();
    slotSocket?.destroy();
  } else if (slotSocket) endWithin(slotSocket);
}

function takeOver(tunnel: Tunnel): void {
  const { client } = tunnel;
  const slotSocket = tunnel.slotSocket as Socket;
  slotSocket.unpipe(client);
  client.unpipe(slotSocket);
  tunnel.relays = { toClient: relay(slotSocket, client), toSlot: relay(client, slotSocket) };
  // A side that has gone altogether takes and gives nothing more.
  slotSocket.on('close', () => endWithin(client));
  const giveUp = () => ifStillSilent(slotSocket, () => client.destroy());
  const watch = () => slotSocket.setTimeout(HALF_CLOSED_IDLE_MS, giveUp);
  slotSocket.on('end', watch);
  client.on('end', watch);
}

/** Closes in good order, or else after a while: what the other side still sends is for nobody. */
function endWithin(side: Duplex): void {
  side.end();
  side.resume();
  setTimeout(() => side.destroy(), CLOSE_GRACE_MS).unref();
}

async function close({ client, slotSocket, relays }: Tunnel): Promise<void> {
  if (relays) {
    relays.toClient.endWith(goingAwayFrame(false));
    relays.toSlot.endWith(goingAwayFrame(true));
    const closed = new Promise((resolve) => client.once('close', resolve));
    await Promise.race([closed, delay(CLOSE_GRACE_MS, undefined, { ref: false })]);
  }
  client.destroy();
  slotSocket?.destroy();
}

function explain(error: Error): ErrorAnswer {
  if (wasRefused(error)) return UNAVAILABLE;
  if ((error as NodeJS.ErrnoException).code === 'ERR_INVALID_URL') return BAD_REQUEST;
  return wasTimeout(error) ? GATEWAY_TIMEOUT : BAD_GATEWAY;
}

/** http-proxy-3 cuts any other socket without a word (checkMethodAndHeader). */
function isWebSocket(request: IncomingMessage): boolean {
  return (
    request.method === 'GET' &&
    request.headers.upgrade?.toLowerCase() === 'websocket' &&
    (request.url as string).startsWith('/')
  );
}

/** What workers are told of other machines, so that no visitor goes back (`fleet.monotonic`): pure. */
import type { FleetStanding } from '../../wire/assignment.ts';
import type { Heard } from './records.ts';

export interface PeerFacts {
  /** This machine's id and epoch. */
  id: string;
  epoch: number;
  heard: Iterable<Heard>;
  /** The epoch that the fleet wants; 0 while that is unknown. */
  desired: number;
  isConnected: boolean;
  /** By this machine's monotonic clock. */
  now: number;
  leaseMs: number;
}

/**
 * While this machine is cut off it does not know what the others have come to, but where they were: passing a request on needs no
 * NATS.
 */
export function knownOfPeers(facts: PeerFacts): Required<Pick<FleetStanding, 'newest' | 'peers'>> {
  const { id, epoch, heard, desired, isConnected, now, leaseMs } = facts;
  const others = [...heard].filter(({ presence }) => presence.id !== id && !presence.apart);
  const there = isConnected ? others.filter(({ at }) => now - at <= leaseMs) : others;
  const peers = there
    .map(({ presence }) => ({ address: presence.address, epoch: presence.epoch }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  const newest = Math.max(epoch, desired, ...peers.map((peer) => peer.epoch));
  return { newest: isConnected ? newest : null, peers };
}

/** Of this machine's proxy, as far as its config tells: a host that is every address is none to others. */
export function addressOf(
  { host, ports }: { host: string; ports: { proxy: number } },
  id: string,
): string {
  const isEvery = host === '::' || host === '0.0.0.0';
  const name = isEvery ? id : host.includes(':') ? `[${host}]` : host;
  return `${name}:${ports.proxy}`;
}

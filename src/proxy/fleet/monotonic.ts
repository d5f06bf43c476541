/** No visitor sees an older release after a newer one, whichever machine answers (`fleet.monotonic`): the decisions, pure. */
import type { FleetPeer, FleetStanding } from '../../wire/assignment.ts';
import type { SeenEpoch } from './epoch-cookie.ts';

/** So many flips can hardly have been missed by a machine that hears of them: a cookie from further ahead is of another fleet's life, or forged. */
const FAR_AHEAD = 16;

/** Whether a request is to wait for this machine's own flip, which others have made. */
export function waitsForFlip(
  { seen, passed }: SeenEpoch,
  { epoch, newest }: Pick<FleetStanding, 'epoch' | 'newest'>,
): boolean {
  if (passed || seen <= epoch) return false;
  return newest == null || seen <= newest + FAR_AHEAD;
}

/**
 * The machine that gets a request which has waited in vain; `null` for this one, with what it has.
 *
 * @param random from 0 to below 1
 */
export function choosePeer(
  seen: number,
  { newest, peers = [] }: Pick<FleetStanding, 'newest' | 'peers'>,
  random: number,
): FleetPeer | null {
  const isPossible = newest == null || seen <= newest;
  const ahead = peers.filter(({ epoch }) => epoch >= seen);
  // What is known of the others is as old as their last word: they may have flipped since.
  const choice = ahead.length > 0 ? ahead : isPossible ? peers : [];
  return choice[Math.floor(random * choice.length)] ?? null;
}

/**
 * The epoch that a visitor is to be told who is answered here; `null` when there is nothing new. An epoch that nobody in the
 * fleet has reached is taken back: its visitor would wait with each request.
 */
export function epochToTell(
  { seen }: SeenEpoch,
  { epoch, newest }: Pick<FleetStanding, 'epoch' | 'newest'>,
): number | null {
  if (seen < epoch) return epoch;
  return seen > epoch && newest != null && seen > newest ? epoch : null;
}

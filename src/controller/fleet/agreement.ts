/** Do all flip, and who are all: pure. The leading machine asks after each record that comes, and as time goes by. */
import type { FleetCandidate, Heard } from './records.ts';

export interface Question {
  candidate: FleetCandidate;
  /** Of the fleet, before this flip. */
  epoch: number;
  /** Every machine that was heard of. */
  heard: readonly Heard[];
  /** Of the leading machine itself, which has prepared. */
  self: string;
  /** When the candidate was offered, and now, in milliseconds of one clock. */
  offeredAt: number;
  now: number;
  prepareMs: number;
  leaseMs: number;
}

export type Agreement =
  /** Machines that have not said that they are prepared yet. */
  | { is: 'waiting'; for: string[] }
  | { is: 'agreed'; members: string[] }
  /** All stay as they are. */
  | { is: 'failed'; why: string };

/** A silent machine holds up nobody, nor does one that does not serve yet what the others serve: both catch up. */
export function agreement(question: Question): Agreement {
  const { candidate, self, heard, now, offeredAt, prepareMs } = question;
  const members = heard.filter((one) => isMember(one, question));
  const failed = members.find(({ presence }) => presence.failed?.id === candidate.id);
  if (failed) {
    const { id, failed: failure } = failed.presence;
    return { is: 'failed', why: `${id} could not prepare it: ${failure?.why}` };
  }
  const late = members.filter(({ presence }) => presence.prepared !== candidate.id);
  const names = (all: readonly Heard[]) => all.map(({ presence }) => presence.id).sort();
  if (late.length === 0) return { is: 'agreed', members: [self, ...names(members)].sort() };
  if (now - offeredAt <= prepareMs) return { is: 'waiting', for: names(late) };
  const who = names(late).join(', ');
  return { is: 'failed', why: `${who} had not prepared it after ${prepareMs} ms` };
}

function isMember(
  { presence, at }: Heard,
  { self, epoch, now, leaseMs }: Pick<Question, 'self' | 'epoch' | 'now' | 'leaseMs'>,
): boolean {
  return presence.id !== self && now - at <= leaseMs && presence.epoch >= epoch && !presence.apart;
}

/** Each machine syncs its state to the disk before it flips, which takes a busy one more than 100 ms. */
const LEAD_MS = 250;

/**
 * When to flip, by the server's clock: as soon as the news can have reached everybody.
 *
 * @param errors how badly each machine may know the server's clock, which is half of its way there and back
 */
export function flipTime(serverNow: number, errors: readonly number[]): number {
  const slowest = Math.max(0, ...errors);
  return serverNow + Math.min(2000, LEAD_MS + 6 * slowest);
}

/** The builder's lease: one machine at a time leads the fleet to another release. */
import type { FleetConfig } from '../../config/fleet-schema.ts';
import { SlotsError } from '../../errors.ts';
import { now } from './clock.ts';
import type { Bucket } from './connection.ts';
import type { Link } from './link.ts';
import { type Desired, desiredSchema } from './records.ts';

export interface Lease {
  /** Held still, as far as this machine can know: a stopped process finds that its time is over. */
  isHeld(): boolean;
  /**
   * Takes it if nobody has it.
   *
   * @throws SlotsError `FLEET_AWAY`
   */
  take(): Promise<boolean>;
  /** Takes it from whoever has it: a rollback does not wait for a build. */
  steal(): Promise<void>;
  /** @param bucket of the lease, on the connection that is open */
  renew(bucket: Bucket): Promise<void>;
  giveBack(): Promise<void>;
  /**
   * Says what all serve from now on.
   *
   * @returns the epoch is everybody's; `false`: somebody has taken the lease meanwhile
   */
  commit(desired: Omit<Desired, 'fence'>): Promise<boolean>;
  /** What all serve, as it was when the lease was taken. */
  epoch(): number;
}

const NOTHING: Desired = {
  epoch: 0,
  release: null,
  by: '',
  rollback: false,
  members: [],
  flipAt: 0,
  fence: 0,
};

interface Held {
  revision: number;
  /** When it was last asked for with success, by the monotonic clock. */
  since: number;
  desired: Desired;
  desiredRevision: number;
}

export function createLease(config: FleetConfig, link: () => Link): Lease {
  const { id, leaseMs } = config;
  let held: Held | null = null;
  const isHeld = () => held !== null && now() - held.since < leaseMs;
  const builder = () => ({ id, run: link().run });

  /** An older holder's compare-and-set fails from here on. */
  async function fence(revision: number, since: number): Promise<void> {
    const { fleet } = link().connection();
    for (;;) {
      const found = await fleet.get('desired');
      const parsed = desiredSchema.safeParse(found?.value);
      const desired = { ...(parsed.success ? parsed.data : NOTHING), fence: revision };
      // One that cannot be read is not overwritten as if it were none.
      if (found?.value && !parsed.success) {
        throw new SlotsError('FLEET_AWAY', 'the fleet is led by a newer slots: install that here');
      }
      const desiredRevision = await fleet.set('desired', desired, found?.revision ?? null);
      if (desiredRevision === null) continue;
      held = { revision, since, desired, desiredRevision };
      return;
    }
  }

  return {
    isHeld,
    epoch: () => held?.desired.epoch ?? 0,
    async take() {
      if (isHeld()) return true;
      const since = now();
      const revision = await link().connection().lease.set('builder', builder(), null);
      if (revision === null) return false;
      await fence(revision, since);
      return true;
    },
    async steal() {
      const since = now();
      const revision = await link().connection().lease.put('builder', builder());
      await fence(revision, since);
    },
    async renew(bucket) {
      const mine = held;
      if (mine === null) return;
      const since = now();
      const revision = await bucket.set('builder', builder(), mine.revision);
      if (held !== mine) return;
      held = revision === null ? null : { ...mine, revision, since };
    },
    async giveBack() {
      const mine = held;
      held = null;
      if (mine) await link().connection().lease.remove('builder', mine.revision);
    },
    async commit(desired) {
      if (!held || !isHeld()) return false;
      const next = { ...desired, fence: held.desired.fence };
      const { fleet } = link().connection();
      const revision = await fleet.set('desired', next, held.desiredRevision);
      if (revision === null) return false;
      held = held && { ...held, desired: next, desiredRevision: revision };
      return true;
    },
  };
}

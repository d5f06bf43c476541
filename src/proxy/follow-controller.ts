import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { SitePaths } from '../slots/paths.ts';
import { isOwnSocket } from '../slots/socket-owner.ts';
import { EMPTY_STATE, readState } from '../slots/state.ts';
import { readAssignment } from '../wire/assignment.ts';
import { REPORT_INTERVAL_MS } from '../wire/messages.ts';
import { connectController } from './control-client.ts';
import type { DataPlane } from './data-plane.ts';
import { createTakeOver } from './take-over.ts';
import type { ChallengeAnswers } from './visitor/challenges.ts';

/** How long a starting worker waits for the controller's word before it goes by state.json, in milliseconds. */
const CONTROLLER_WAIT_MS = 1000;

/** How often what is counted is compared with those it is counted for, in milliseconds. */
const AUDIT_INTERVAL_MS = 60_000;

export interface FollowParts {
  plane: DataPlane;
  challenges: Pick<ChallengeAnswers, 'set'>;
  paths: SitePaths;
  log: Logger;
}

/**
 * Has a data plane go by its site's controller, and report to it; by state.json until one has said where visitors go.
 *
 * @returns once the plane knows where to route; what ends it all
 */
export async function followController(parts: FollowParts): Promise<() => void> {
  const { plane, challenges, paths, log } = parts;
  const assigned = Promise.withResolvers<void>();
  const takeOver = createTakeOver(() => plane.current().active !== null);
  const control = connectController(
    paths.controlSocket,
    {
      onAssignment(assignment, taken) {
        challenges.set(assignment.challenges ?? []);
        takeOver.at(assignment, (lateMs) => {
          const before = plane.current();
          const { epoch, revision, active, slots } = plane.assign(assignment);
          taken({ epoch, revision });
          assigned.resolve();
          if (epoch === before.epoch && before.active === active) return;
          const release = active && slots[active].release;
          const late = assignment.flipAt !== undefined && { lateMs: Math.round(lateMs) };
          const flip = { event: 'worker.ack', epoch, active, release, ...late };
          log.info(flip, `visitors go to ${active}`);
        });
      },
      onCut: (slot) => void plane.cut(slot),
      onPurge: (paths, tags) => plane.cache?.purge(paths, tags) ?? 0,
      onFill: plane.fillAhead,
      report: () => ({
        type: 'report',
        inflight: plane.inflight.counts,
        counters: plane.counters,
      }),
    },
    () => isOwnSocket(paths),
  );
  plane.inflight.onEmpty((slot) => {
    if (slot !== plane.current().active) control.sendReport();
  });
  const report = setInterval(() => control.sendReport(), REPORT_INTERVAL_MS);
  const audit = setInterval(() => {
    for (const { message } of plane.audit()) log.error({ event: 'worker.leak' }, message);
  }, AUDIT_INTERVAL_MS);
  await Promise.race([assigned.promise, delay(CONTROLLER_WAIT_MS)]);
  if (plane.current().active === null) {
    // A state that cannot be read sends visitors nowhere.
    plane.assign(readAssignment(await readState(paths).catch(() => EMPTY_STATE)));
  }
  return () => {
    control.close();
    takeOver.stop();
    for (const timer of [report, audit]) clearInterval(timer);
  };
}

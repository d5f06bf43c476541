import PQueue from 'p-queue';
import type { Logger } from '../log.ts';
import type { EventCounters } from '../metrics/event-counters.ts';
import { buildOrder } from '../promotion/order.ts';
import type { Inbox } from '../source/inbox.ts';
import type { Store } from '../store.ts';
import type { Pulled } from './git.ts';

export interface Deployed extends Omit<Pulled, 'moved'> {
  outcome: 'deployed' | 'paused' | 'unchanged';
  /** The promotion to be. */
  id?: string;
}

export interface DeployParts {
  /** @param onMove called right before files change, if any do */
  pull(onMove: () => void): Promise<Pulled>;
  store: Pick<Store, 'state' | 'onChange'>;
  inbox: Pick<Inbox, 'order' | 'hold'>;
  counters: EventCounters['pushes'];
  log: Logger;
}

/**
 * Takes what was pushed and promotes it. One after the other: git locks its clone, and a push that comes
 * while the one before is fetched may have been missed by it.
 */
export function createDeploy(parts: DeployParts): () => Promise<Deployed> {
  const { counters, log } = parts;
  const promoteOnResume = createResumption(parts);
  const pushes = new PQueue({ concurrency: 1 });

  const deploy = async (): Promise<Deployed> => {
    try {
      const deployed = await take(parts, promoteOnResume);
      counters[deployed.outcome]++;
      log.info({ event: 'deploy.git', ...deployed }, say(deployed));
      return deployed;
    } catch (error) {
      const { message } = error as Error;
      counters.refused++;
      log.error({ event: 'deploy.refused', error: message }, `push not deployed: ${message}`);
      throw error;
    }
  };

  return () => pushes.add(deploy);
}

async function take(parts: DeployParts, promoteOnResume: () => void): Promise<Deployed> {
  // Nothing is to be built of files that are half moved, nor of moved ones under another name than the push's.
  let endHold = () => {};
  try {
    const pulled = await parts.pull(() => {
      endHold = parts.inbox.hold();
    });
    return promotePulled(parts, promoteOnResume, pulled);
  } finally {
    endHold();
  }
}

function promotePulled(
  parts: DeployParts,
  promoteOnResume: () => void,
  { moved, ...pulled }: Pulled,
): Deployed {
  if (!moved) return { outcome: 'unchanged', ...pulled };
  if (parts.store.state.paused) {
    promoteOnResume();
    return { outcome: 'paused', ...pulled };
  }
  // Ordered, since what a commit changes need not be among the watched files.
  const order = buildOrder('push');
  parts.inbox.order(order);
  return { outcome: 'deployed', ...pulled, id: order.id };
}

/** As with any edit: after a rollback nothing goes live by itself until somebody resumes. */
function createResumption({ store, inbox }: DeployParts): () => void {
  let isWaiting = false;
  store.onChange(({ paused }) => {
    if (paused || !isWaiting) return;
    isWaiting = false;
    inbox.order(buildOrder('push'));
  });
  return () => {
    isWaiting = true;
  };
}

function say({ outcome, from, to }: Deployed): string {
  if (outcome === 'unchanged')
    return `a push brought nothing new: ${to.slice(0, 7)} is here already`;
  const moved = `moved from ${from.slice(0, 7)} to ${to.slice(0, 7)}`;
  return outcome === 'paused' ? `${moved}; edits are paused, so it waits` : `${moved}, promoting`;
}

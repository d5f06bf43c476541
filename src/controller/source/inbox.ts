import type { Trigger } from '../../slots/trigger.ts';
import { buildOrder, type Order } from '../promotion/order.ts';
import type { BuildReason } from './decide.ts';

/**
 * Holds what waits while a promotion runs. Edits coalesce, however many there are; a rollback goes first, since
 * visitors see something bad meanwhile.
 */
export interface Inbox {
  /** @param path relative to the site's root, or `''` when it is not known */
  edited(path: string): void;
  /**
   * Something of ours is about to change the watched files: what waits meanwhile is not built.
   *
   * @returns is to be called once it is done
   */
  hold(): () => void;
  /** Looks for changes even though no event has come: at the controller's start and on resume. */
  lookForChanges(trigger: Trigger): void;
  order(order: Order): void;
  /** Waits for the next thing to do. */
  next(buildReason: (trigger: Trigger) => Promise<BuildReason | null>): Promise<Order>;
  /** The changes that a build starting now contains; what comes later is pending again. */
  takeChanges(): string[];
  /** The changes that takeChanges would give. */
  changes(): string[];
  /** How many changes wait. */
  pending(): number;
}

/** A list of changed files that nobody reads to the end: a `git checkout` may change thousands. */
const MAX_LISTED_CHANGES = 100;

/**
 * @param isPaused asked each time, since `slots pause` may come while an edit waits
 * @param debounceMs how long the watched files must be quiet, in milliseconds
 */
export function createInbox(isPaused: () => boolean, debounceMs: number): Inbox {
  const orders: Order[] = [];
  const changed = new Set<string>();
  let changes = 0;
  /** Grows with each reason to look, so that one that comes while the files are read is not forgotten. */
  let looks = 0;
  let look: Trigger | null = null;
  /** How many are changing the files. */
  let holds = 0;
  let lastEdit = Number.NEGATIVE_INFINITY;
  let wake: () => void = () => {};

  const sleep = (ms: number | null) =>
    new Promise<void>((resolve) => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const mustWait = () => holds > 0 || isPaused();

  /** Milliseconds until the files have been quiet for long enough; `null` when there is nothing to wait for. */
  const quietIn = (): number | null => {
    if (look === null || mustWait()) return null;
    return Math.max(0, lastEdit + debounceMs - performance.now());
  };

  const forget = () => {
    changed.clear();
    changes = 0;
    look = null;
  };

  return {
    edited(path) {
      looks++;
      // A rescan comes after the event of the same change, so that it asks for a look and is no change more.
      if (path !== '') changes++;
      if (path !== '' && changed.size < MAX_LISTED_CHANGES) changed.add(path);
      look = 'edit';
      lastEdit = performance.now();
      wake();
    },

    hold() {
      holds++;
      return () => {
        holds--;
        wake();
      };
    },

    lookForChanges(trigger) {
      looks++;
      look ??= trigger;
      wake();
    },

    order(order) {
      if (order.trigger === 'rollback') orders.unshift(order);
      else orders.push(order);
      wake();
    },

    async next(buildReason) {
      for (;;) {
        const order = orders.shift();
        if (order) return order;
        const wait = quietIn();
        if (wait !== 0) {
          await sleep(wait);
          continue;
        }
        const trigger = look as Trigger;
        const seen = looks;
        look = null;
        const reason = await buildReason(trigger).catch((error) => {
          look ??= trigger;
          throw error;
        });
        if (reason === null) {
          // A touch or an undo; unless more has come while the files were read.
          if (looks === seen) forget();
        } else if (mustWait()) {
          look ??= trigger;
        } else {
          return buildOrder(reason === 'unsettled' ? reason : trigger);
        }
      }
    },

    takeChanges() {
      const taken = [...changed].sort();
      forget();
      return taken;
    },

    changes: () => [...changed].sort(),

    pending: () => changes,
  };
}

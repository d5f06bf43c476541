/** When a worker takes an assignment over: at once, or at the instant at which all machines of its fleet do. */
import type { Assignment } from '../wire/assignment.ts';
import { instantNow } from '../wire/instant.ts';

export interface TakeOver {
  /** @param take routes by the assignment from then on, by how many milliseconds too late; not called if another one comes first */
  at(assignment: Assignment, take: (lateMs: number) => void): void;
  stop(): void;
}

/** @param isRouting a worker that sends visitors nowhere yet has nothing to wait for */
export function createTakeOver(isRouting: () => boolean): TakeOver {
  let timer: NodeJS.Timeout | undefined;
  return {
    at({ flipAt = 0 }, take) {
      clearTimeout(timer);
      const look = () => {
        const leftMs = flipAt - instantNow();
        // Node's timers have whole milliseconds, and may be early by what the turn that set them has taken.
        if (leftMs > 0 && isRouting()) timer = setTimeout(look, Math.ceil(leftMs));
        else take(flipAt === 0 ? 0 : -leftMs);
      };
      look();
    },
    stop: () => clearTimeout(timer),
  };
}

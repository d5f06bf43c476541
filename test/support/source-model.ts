import type { Inbox } from '../../src/controller/source/inbox.ts';
import type { LastPromotion, State } from '../../src/slots/state.ts';

/** The watched files, as a number that each edit counts up, and the releases built from them. */
export function createSourceModel(kept: string[]) {
  let source = 2;
  let unheard = 0;
  const sources = new Map(kept.map((release, index) => [release, index + 1]));
  const built = new Set(kept);
  /** Sources that visitors have seen, and those of which a person was told that they failed. */
  const live = new Set(sources.values());
  const failed = new Set<number>();

  const sourceOf = (release: string | null) => sources.get(release as string) as number;

  return {
    /** The releases that are complete. */
    built,
    edit() {
      source++;
      unheard++;
    },
    /** The file events arrive; later than the edits they tell of, or never if the controller is killed. */
    hear(inbox: Inbox) {
      for (; unheard > 0; unheard--) inbox.edited('post.md');
    },
    forgetEvents() {
      unheard = 0;
    },
    /** A build reads the source and names the release. */
    read(): string {
      const release = `r${sources.size + 1}`;
      sources.set(release, source);
      return release;
    },
    isBuilt: (release: string | null) => release !== null && built.has(release),
    isIn: (release: string | null) => sources.get(release as string) === source,

    /** A failure counts only if it lay in what was edited: what was killed or interrupted is tried again. */
    finished(last: LastPromotion, { active, slots }: State) {
      if (last.outcome !== 'failed') live.add(sourceOf(active && slots[active].release));
      else if (!/^(the controller was|a rollback was)/.test(last.error ?? '')) {
        // Without a release the source could not even be read.
        failed.add(last.release === null ? source : sourceOf(last.release));
      }
    },
    /** The controller knows of the latest edit, but it neither went live nor was reported as failed. */
    isOwed: () => unheard === 0 && source > 2 && !live.has(source) && !failed.has(source),
  };
}

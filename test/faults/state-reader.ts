import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { Stage, State } from '../../src/slots/state.ts';

/** A moment in a promotion: the instant that state.json says so. */
export type Moment = Stage | 'end';

export interface StateReader {
  /**
   * Acts the very moment that the promotion which runs or comes next gets there; at its end where the moment was
   * over before it could be read. Says when it was.
   */
  at(moment: Moment, act: () => void): Promise<Moment>;
  /** How often the file was read, and what was wrong with it. */
  stop(): { reads: number; bad: string[] };
}

const LOOK_INTERVAL_MS = 3;

/** Reads state.json again and again, at each of its renames and in between: it must be whole each time. */
export function readStateAllTheTime(root: string): StateReader {
  const folder = join(root, 'slots');
  const bad: string[] = [];
  const waiting = new Set<(state: State) => void>();
  let reads = 0;

  const look = () => {
    let text = '';
    try {
      reads++;
      text = readFileSync(join(folder, 'state.json'), 'utf8');
      const state = JSON.parse(text) as State;
      if (state.version !== 2) throw new Error(`version ${state.version}`);
      for (const tell of waiting) tell(state);
    } catch (error) {
      bad.push(`${(error as Error).message}: ${JSON.stringify(text.slice(0, 80))}`);
    }
  };
  const watcher = watch(folder, (_event, name) => {
    if (name === 'state.json') look();
  });
  const timer = setInterval(look, LOOK_INTERVAL_MS);

  return {
    at: (moment, act) =>
      new Promise((resolve) => {
        let begun = false;
        const tell = ({ promotion }: State) => {
          begun ||= promotion !== null;
          const hasEnded = begun && !promotion;
          if (!hasEnded && promotion?.step !== moment) return;
          waiting.delete(tell);
          act();
          resolve(hasEnded ? 'end' : moment);
        };
        waiting.add(tell);
      }),
    stop() {
      watcher.close();
      clearInterval(timer);
      return { reads, bad };
    },
  };
}

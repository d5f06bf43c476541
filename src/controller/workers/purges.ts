/** What workers are to forget of their stored answers. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FromWorker, ToWorker } from '../../wire/messages.ts';

export interface Purge {
  /** With `*` and `**`. */
  paths: string[];
  /** Without any, and without paths, everything is forgotten. */
  tags: string[];
}

/** What fits into one message. */
type Part = { paths: string[]; tags?: string[] };

export type Send = (message: ToWorker) => void;

/** A worker that has lost its connection is back in half a second; a purge meanwhile is for it too. */
const REPEATED_MS = 60_000;
const MOST_REPEATED = 1000;

export interface Purges {
  /**
   * Tells workers, and resolves when all have forgotten.
   *
   * @returns how many answers they have forgotten, together
   */
  order(what: Purge, workers: readonly Send[]): Promise<number>;
  receive(message: Extract<FromWorker, { type: 'purged' }>): void;
  /** Tells a worker that has come, or come back, of what was forgotten lately. */
  repeat(send: Send): void;
}

/** @param patienceMs for a worker that does not answer: it ends, and then has nothing stored any more */
export function createPurges(patienceMs: number, now: () => number = Date.now): Purges {
  const asked = new Map<number, (urls: number) => void>();
  let recent: { at: number; what: Purge }[] = [];
  let lastId = 0;

  const ask = (send: Send, what: Part): Promise<number> => {
    const id = ++lastId;
    const { promise, resolve } = Promise.withResolvers<number>();
    asked.set(id, resolve);
    send({ type: 'purge', id, ...what });
    return Promise.race([promise, delay(patienceMs, 0, { ref: false })]).finally(() =>
      asked.delete(id),
    );
  };

  return {
    async order(what, workers) {
      const at = now();
      recent = recent.filter((one) => at - one.at < REPEATED_MS).slice(1 - MOST_REPEATED);
      recent.push({ at, what });
      const answers = workers.flatMap((send) => parts(what).map((part) => ask(send, part)));
      return (await Promise.all(answers)).reduce((sum, urls) => sum + urls, 0);
    },
    receive: ({ id, urls }) => asked.get(id)?.(urls),
    repeat(send) {
      const at = now();
      for (const one of recent) {
        if (at - one.at >= REPEATED_MS) continue;
        for (const part of parts(one.what)) send({ type: 'purge', id: ++lastId, ...part });
      }
    },
  };
}

/** Of one message, in characters: far enough from `MAX_LINE_BYTES` for the longest path and the rest of the line. */
const LONGEST_PART = 32_768;

/** Paths and tags apart: a worker that does not know tags would forget the paths only. */
function parts({ paths, tags }: Purge): Part[] {
  if (paths.length === 0 && tags.length === 0) return [{ paths: [] }];
  return [
    ...chunks(paths).map((some) => ({ paths: some })),
    ...chunks(tags).map((some) => ({ paths: [], tags: some })),
  ];
}

function chunks(all: readonly string[]): string[][] {
  const found: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const one of all) {
    const its = JSON.stringify(one).length;
    if (length + its > LONGEST_PART) {
      found.push([]);
      length = 0;
    }
    (found.at(-1) as string[]).push(one);
    length += its;
  }
  return found;
}

import type { Coding } from './codings.ts';
import { encodedBody, keepEncoded } from './encoded-bodies.ts';
import { type Effort, encodeWhole } from './whole.ts';

export interface EncodingJob {
  body: Buffer;
  coding: Coding;
  /** Whether it will be asked for long enough to be worth the highest level. */
  isLasting: boolean;
  /** Whether the body is still stored, when its turn comes. */
  isWanted(): boolean;
  /** It takes more memory now. */
  onMade(): void;
}

/** More bodies do not wait: what is asked for again comes again. */
const MOST_WAITING = 1000;

/**
 * Compresses stored bodies one at a time, so that of the thread pool most is left for answers on the fly: each quickly first,
 * and at the highest level once nothing else waits.
 */
export function createEncodingQueue(encode: typeof encodeWhole = encodeWhole) {
  const waiting: Record<Effort, EncodingJob[]> = { quick: [], best: [] };
  const pending = new WeakMap<Buffer, Set<Coding>>();
  let isRunning = false;

  const next = (): [EncodingJob, Effort] | null => {
    const effort = waiting.quick.length > 0 ? 'quick' : 'best';
    const job = waiting[effort].shift();
    return job ? [job, effort] : null;
  };

  const run = async (job: EncodingJob, effort: Effort) => {
    const { body, coding } = job;
    if (!job.isWanted()) return false;
    const bytes = await encode(body, coding, effort);
    const before = encodedBody(body, coding);
    if (!before || (bytes !== null && bytes.length < before.length)) {
      keepEncoded(body, coding, bytes);
      job.onMade();
    }
    return bytes !== null && effort === 'quick' && job.isLasting;
  };

  const work = async () => {
    isRunning = true;
    for (let one = next(); one !== null; one = next()) {
      const [job, effort] = one;
      // Without memory for it the answer goes on leaving as it is.
      const goesOn = await run(job, effort).catch(() => false);
      if (goesOn && waiting.best.length < MOST_WAITING) waiting.best.push(job);
      else pending.get(job.body)?.delete(job.coding);
    }
    isRunning = false;
  };

  return {
    add(job: EncodingJob): void {
      const codings = pending.get(job.body) ?? new Set();
      if (codings.has(job.coding) || waiting.quick.length >= MOST_WAITING) return;
      codings.add(job.coding);
      pending.set(job.body, codings);
      waiting.quick.push(job);
      if (!isRunning) void work();
    },
  };
}

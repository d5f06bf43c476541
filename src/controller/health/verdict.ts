/** The one judge of health: a verdict over a probe's answer and the release that should have given it. Pure. */
import type { ProbeAnswer } from './probe.ts';

export type Verdict =
  /** Answered by the expected release, with any 2xx or 3xx. */
  | { is: 'well' }
  /** The expected release listens, and answers with an error. */
  | { is: 'unwell'; why: string }
  /** Another release answers, or another program on a port that our processes have lost. */
  | { is: 'foreign'; why: string }
  | { is: 'silent'; why: string };

/** @param expected the release that should answer; `null` where any may, as through the proxy */
export function judge(answer: ProbeAnswer | Error, expected: string | null): Verdict {
  if (answer instanceof Error) return { is: 'silent', why: reasonOf(answer) };
  if (expected !== null && answer.release !== expected) {
    return { is: 'foreign', why: `answered by ${answer.release ?? 'another program'}` };
  }
  const { status } = answer;
  if (status >= 200 && status < 400) return { is: 'well' };
  const meaning = MEANINGS[status];
  return { is: 'unwell', why: meaning ? `status ${status}, ${meaning}` : `status ${status}` };
}

/** Explains answers that a sound site may give to a probe, and how to have it asked for something else. */
const MEANINGS: Record<number, string> = {
  401: 'a login is asked for: set "health.path" to a page that everybody may see',
  403: 'a refusal: set "health.path" to a page that everybody may see, or "health.host" for a site that answers to its own name only',
  404: 'the site has no such page: set "health.path" to one that it has',
  421: 'a refusal: a site that answers to its own name only needs it in "health.host"',
};

function reasonOf({ name, message }: Error): string {
  return name === 'TimeoutError' || name === 'AbortError' ? 'no answer in time' : message;
}

/** What a probe's answer says about the health of whoever should have given it: the one judge, pure. */
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
  return status >= 200 && status < 400 ? { is: 'well' } : { is: 'unwell', why: `status ${status}` };
}

function reasonOf({ name, message }: Error): string {
  return name === 'TimeoutError' || name === 'AbortError' ? 'no answer in time' : message;
}

/** Whether what visitors saw can be right: pure. */
import { planAnswer } from './answers.ts';
import { bodyOf } from './random.ts';
import { isSafe } from './requests.ts';
import type { Seen, Session } from './visitors.ts';

/** Answers that the proxy gives by itself. */
const OWN = new Set([400, 405, 408, 413, 414, 417, 426, 429, 431, 501, 502, 503, 504, 505]);

/** @returns what is wrong, a line each */
export function judge({ seen, isSpoilt, isStuck, garbage }: Session): string[] {
  const faults = seen.flatMap((each, index) =>
    judgeOne(each, !isSpoilt && isUndisturbed(seen, index)),
  );
  if (garbage !== null) faults.push(`${seen[0]?.request.marker}: ${garbage}`);
  if (isStuck)
    faults.push(`no end came for ${seen.map(({ request }) => request.marker).join(', ')}`);
  return faults;
}

/** All that came before it on its connection was in order, so that it has to be answered. */
function isUndisturbed(seen: Seen[], index: number): boolean {
  return seen.slice(0, index + 1).every(({ request }) => {
    const { sort, early } = planOf(request);
    if (sort !== 'whole') return false;
    // What has come of a body that nobody has asked for, or wants any more, may end the connection (RFC 9110 §10.1.1).
    return request.body === null || !(early || request.fields.some(([name]) => name === 'expect'));
  });
}

function planOf({ answerSeed, marker, method }: Seen['request']) {
  return planAnswer(answerSeed, marker, method);
}

function judgeOne(seen: Seen, isCertain: boolean): string[] {
  const { request, status, marker, body, complete } = seen;
  const name = `${request.method} ${request.marker} (answer ${request.answerSeed})`;
  const plan = planOf(request);
  if (status === null) {
    return isCertain && isSafe(request.method) ? [`${name} got no answer`] : [];
  }
  if (request.sort === 'bad') {
    return OWN.has(status) && marker === null ? [] : [`${name} is bad, and was answered ${status}`];
  }
  if (marker === null) {
    // A 204 or 304 without fields of the site cannot be told from another's, and carries nothing.
    if (!OWN.has(status)) return [`${name} got ${status} of nobody`];
    return isCertain && isSafe(request.method)
      ? [`${name} got ${status} in place of its answer`]
      : [];
  }
  if (marker !== request.marker) return [`${name} got the answer of ${marker}`];
  if (!bodyOf(marker, body.length).startsWith(body)) return [`${name} got bytes of another`];
  if (!complete) return isCertain && isSafe(request.method) ? [`${name} got its answer cut`] : [];
  if (plan.sort === 'cut') return [`${name} got a cut answer as if it were whole`];
  if (plan.sort === 'refused') return [];
  if (status !== plan.status) return [`${name} got ${status} and not ${plan.status}`];
  return body === plan.body
    ? []
    : [`${name} got ${body.length} of ${plan.body.length} bytes as whole`];
}

import { isRedirect, type ProbeAnswer, probe } from './probe.ts';

const MAX_REDIRECTS = 10;

/**
 * Finds the fault of a redirect that a candidate answers, or `null`: one that only ever leads to another one never
 * shows anybody a page. What leads to another host or to HTTPS is not followed, nor what sets a cookie, for
 * a browser may get on from there.
 */
export async function complaintAboutRedirect(
  port: number,
  path: string,
  timeoutMs: number,
  first: ProbeAnswer,
): Promise<string | null> {
  const origin = `http://127.0.0.1:${port}`;
  const seen = [path];
  let answer: ProbeAnswer | null = first;
  while (answer && isRedirect(answer.status) && answer.location !== null && !answer.setsCookie) {
    if (seen.length > MAX_REDIRECTS) return `redirects more than ${MAX_REDIRECTS} times`;
    const target = targetOf(answer.location, origin + seen.at(-1));
    if (target === null) return null;
    if (seen.includes(target)) return `redirects for ever, from ${seen.at(-1)} to ${target}`;
    seen.push(target);
    answer = await probe(port, target, timeoutMs).catch(() => null);
  }
  return null;
}

/** `null` for what leads elsewhere. */
function targetOf(location: string, base: string): string | null {
  const url = URL.parse(location, base);
  if (url === null || url.origin !== new URL(base).origin) return null;
  return url.pathname + url.search;
}

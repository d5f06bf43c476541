/** What a request gets from a stored answer (RFC 9111 §4 and §5.2.1, RFC 5861). Pure; times are milliseconds. */
import { type Directives, readDirectives, seconds } from './directives.ts';

/** How a stored answer may be used over time. */
export interface Lifetime {
  /** When it came, since 1970. */
  receivedAt: number;
  /** How old it was then. */
  initialAgeMs: number;
  /** How long it is fresh, counted from its making; `Infinity` until the flip. */
  freshMs: number;
  /** How long after that it may be given while it is asked for anew (RFC 5861 §3). */
  staleWhileRevalidateMs: number;
  /** How long after that it may be given when the slot fails (RFC 5861 §4); without a word of its own the config's. */
  staleIfErrorMs: number;
  /** It may be given only after the slot has said that it is still right. */
  noCache: boolean;
  /** Once stale it must not be given, whatever happens. */
  mustRevalidate: boolean;
}

export type Use =
  /** Give it. */
  | { how: 'fresh' }
  /** Give it, and ask for it anew. */
  | { how: 'stale' }
  /** Ask first. */
  | { how: 'revalidate'; isStale: boolean };

export function ageMs(lifetime: Lifetime, now: number): number {
  return lifetime.initialAgeMs + Math.max(0, now - lifetime.receivedAt);
}

/** What a request asks of a cache (RFC 9111 §5.2.1), by its fields. */
export function requestDirectives(
  cacheControl: string | undefined,
  pragma: string | undefined,
): Directives {
  if (cacheControl !== undefined) return readDirectives(cacheControl);
  // RFC 9111 §5.4: of old clients, and only without Cache-Control.
  const old = readDirectives(pragma);
  return old.has('no-cache') ? old : readDirectives(undefined);
}

export function useOf(lifetime: Lifetime, asked: Directives, now: number): Use {
  const age = ageMs(lifetime, now);
  const overMs = age - lifetime.freshMs;
  const isStale = overMs >= 0;
  if (lifetime.noCache || asked.has('no-cache')) return { how: 'revalidate', isStale };
  const maxAge = seconds(asked, 'max-age');
  if (maxAge !== null && age > maxAge * 1000) return { how: 'revalidate', isStale };
  const minFresh = seconds(asked, 'min-fresh');
  if (minFresh !== null && -overMs < minFresh * 1000) return { how: 'revalidate', isStale };
  if (!isStale) return { how: 'fresh' };
  if (lifetime.mustRevalidate) return { how: 'revalidate', isStale };
  if (overMs < lifetime.staleWhileRevalidateMs) return { how: 'stale' };
  return takesStale(asked, overMs) ? { how: 'fresh' } : { how: 'revalidate', isStale };
}

/** RFC 9111 §5.2.1.2: without a value, however stale. */
function takesStale(asked: Directives, overMs: number): boolean {
  const value = asked.get('max-stale');
  if (value === undefined) return false;
  return value === null || overMs <= (seconds(asked, 'max-stale') as number) * 1000;
}

/** Whether it may be given in place of an error (RFC 5861 §4). */
export function mayReplaceError(lifetime: Lifetime, now: number): boolean {
  if (lifetime.mustRevalidate || lifetime.noCache) return false;
  return ageMs(lifetime, now) - lifetime.freshMs < lifetime.staleIfErrorMs;
}

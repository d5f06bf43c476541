import { expect, test } from 'vitest';
import {
  type Lifetime,
  mayReplaceError,
  requestDirectives,
  useOf,
} from '../../../src/proxy/cache/reuse.ts';

const CAME = Date.UTC(2026, 10, 28);

/** Fresh for a minute, 10 s old when it came. */
const MINUTE: Lifetime = {
  receivedAt: CAME,
  initialAgeMs: 10_000,
  freshMs: 60_000,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 30_000,
  noCache: false,
  mustRevalidate: false,
};

function use(afterS: number, asked = '', lifetime: Partial<Lifetime> = {}): string {
  const field = asked === '' ? undefined : asked;
  return useOf(
    { ...MINUTE, ...lifetime },
    requestDirectives(field, undefined),
    CAME + afterS * 1000,
  ).how;
}

test('an answer is fresh until its age reaches its lifetime', () => {
  expect(use(0)).toBe('fresh');
  expect(use(49)).toBe('fresh');
  expect(use(50)).toBe('revalidate');
});

test('an answer until the flip stays fresh', () => {
  expect(use(10 ** 8, '', { freshMs: Number.POSITIVE_INFINITY })).toBe('fresh');
});

test.each([
  ['no-cache', 0, 'revalidate'],
  ['max-age=0', 0, 'revalidate'],
  ['max-age=20', 5, 'fresh'],
  ['max-age=20', 11, 'revalidate'],
  ['min-fresh=40', 5, 'fresh'],
  ['min-fresh=40', 15, 'revalidate'],
  ['max-stale', 500, 'fresh'],
  ['max-stale=20', 65, 'fresh'],
  ['max-stale=20', 75, 'revalidate'],
])('a request with %j after %i s is answered: %s', (asked, afterS, how) => {
  expect(use(afterS, asked)).toBe(how);
});

test('a client that knows only Pragma is heard, and one that sends both is not', () => {
  const now = CAME;
  expect(useOf(MINUTE, requestDirectives(undefined, 'no-cache'), now).how).toBe('revalidate');
  expect(useOf(MINUTE, requestDirectives('max-age=100', 'no-cache'), now).how).toBe('fresh');
});

test('a stale answer is given while it is asked for anew, for as long as it says', () => {
  const lifetime = { staleWhileRevalidateMs: 5000 };
  expect(use(54, '', lifetime)).toBe('stale');
  expect(use(55, '', lifetime)).toBe('revalidate');
});

test('must-revalidate forbids every stale use', () => {
  const lifetime = { mustRevalidate: true, staleWhileRevalidateMs: 5000 };
  expect(use(51, 'max-stale', lifetime)).toBe('revalidate');
  expect(mayReplaceError({ ...MINUTE, ...lifetime }, CAME + 51_000)).toBe(false);
});

test('a stale answer replaces an error for as long as stale-if-error allows', () => {
  expect(mayReplaceError(MINUTE, CAME + 79_000)).toBe(true);
  expect(mayReplaceError(MINUTE, CAME + 80_000)).toBe(false);
});

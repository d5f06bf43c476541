import { expect, test } from 'vitest';
import { mayStore, type RequestFacts } from '../../../src/proxy/cache/may-store.ts';

const NOW = Date.UTC(2026, 10, 28);
const GET: RequestFacts = {
  method: 'GET',
  hasAuthorization: false,
  isReleaseFile: false,
  isUntilRelease: false,
  hasCookie: false,
};

function why(fields: string[], request: Partial<RequestFacts> = {}, status = 200): string {
  return mayStore({ ...GET, ...request }, status, fields, NOW).why;
}

test.each([
  ['s-maxage', ['Cache-Control', 's-maxage=60']],
  ['public and max-age', ['Cache-Control', 'public, max-age=60']],
  ['public and max-age on two lines', ['Cache-Control', 'public', 'cache-control', 'max-age=60']],
  ['public and Expires', ['Cache-Control', 'public', 'Expires', 'Sun, 29 Nov 2026 00:00:00 GMT']],
  ['CDN-Cache-Control', ['CDN-Cache-Control', 'max-age=60', 'Cache-Control', 'no-store']],
  ['Slots-Cache-Control', ['Slots-Cache-Control', 'max-age=60', 'CDN-Cache-Control', 'no-store']],
])('an answer is stored that says %s', (_what, fields) => {
  expect(why(fields)).toBe('explicit');
});

test.each([
  ['nothing', [], 'no-lifetime'],
  ['no-store', ['Cache-Control', 'public, max-age=60, no-store'], 'no-store'],
  ['private', ['Cache-Control', 'private, s-maxage=60'], 'private'],
  ['Set-Cookie', ['Cache-Control', 's-maxage=60', 'Set-Cookie', 'a=b'], 'set-cookie'],
  ['Vary: *', ['Cache-Control', 's-maxage=60', 'Vary', 'a, *'], 'vary'],
])('an answer is not stored that says %s', (_what, fields, reason) => {
  expect(why(fields)).toBe(reason);
});

test.each([100, 206, 304, 401, 407])('a %i is not stored, whatever it says', (status) => {
  expect(why(['Cache-Control', 's-maxage=60'], {}, status)).toBe('status');
});

test('an answer to Authorization is stored only if it says that it is shared', () => {
  const request = { hasAuthorization: true };
  expect(why(['CDN-Cache-Control', 'max-age=60'], request)).toBe('authorization');
  expect(why(['Cache-Control', 'public, max-age=60'], request)).toBe('explicit');
  expect(why(['Cache-Control', 's-maxage=60'], request)).toBe('explicit');
});

test('a file of the release is stored whatever its max-age says, but not against its word', () => {
  const request = { isReleaseFile: true };
  expect(why([], request)).toBe('release-file');
  expect(why(['Cache-Control', 'public, max-age=0'], request)).toBe('release-file');
  expect(why(['Cache-Control', 'no-store'], request)).toBe('no-store');
  expect(why(['Set-Cookie', 'a=b'], request)).toBe('set-cookie');
  expect(why([], request, 404)).toBe('no-lifetime');
});

test('a page under untilRelease is stored for requests without a cookie', () => {
  expect(why([], { isUntilRelease: true })).toBe('until-release');
  expect(why([], { isUntilRelease: true, hasCookie: true })).toBe('cookie');
  expect(why(['Cache-Control', 'private'], { isUntilRelease: true })).toBe('private');
  expect(why([], { isUntilRelease: true }, 500)).toBe('no-lifetime');
});

test('must-understand overrides no-store for a status that is understood', () => {
  const fields = ['Cache-Control', 'no-store, must-understand, s-maxage=60'];
  expect(why(fields)).toBe('explicit');
  expect(why(fields, {}, 299)).toBe('status');
});

test.each(['HEAD', 'POST', 'OPTIONS'])('an answer to %s is not stored', (method) => {
  expect(why(['Cache-Control', 's-maxage=60'], { method })).toBe('method');
});

test('an answer that says no more than max-age is stored for visitors without cookies alone', () => {
  const fields = ['Cache-Control', 'max-age=60'];
  expect(mayStore(GET, 200, fields, NOW)).toMatchObject({ why: 'explicit', isAnonymous: true });
  expect(why(fields, { hasCookie: true })).toBe('no-lifetime');
  const shared = ['Cache-Control', 'public, max-age=60'];
  expect(mayStore(GET, 200, shared, NOW)).toMatchObject({ why: 'explicit', isAnonymous: false });
});

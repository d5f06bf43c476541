import { expect, test } from 'vitest';
import { affinityCookie, wantedInstance } from '../../../src/proxy/request/affinity.ts';

test.each([
  [undefined, -1],
  ['', -1],
  ['sid=1; slots-instance=2', 2],
  ['slots-instance=0;a=b', 0],
  ['my-slots-instance=1', -1],
  ['slots-instance=1e9', -1],
  ['slots-instance=99999', -1],
  ['slots-instance=-1', -1],
])('the cookies %j want instance %i', (cookies, instance) => {
  expect(wantedInstance(cookies)).toBe(instance);
});

test('the cookie is set for a visitor who has none, or whose instance is gone', () => {
  expect(affinityCookie(1, -1, false, undefined)).toBe(
    'slots-instance=1; Path=/; HttpOnly; SameSite=Lax',
  );
  expect(affinityCookie(0, 1, true, 'no-store')).toBe(
    'slots-instance=0; Path=/; HttpOnly; SameSite=Lax; Secure',
  );
});

test('the cookie is not set again, nor where nobody knows which instance has answered', () => {
  expect(affinityCookie(1, 1, false, undefined)).toBeNull();
  expect(affinityCookie(-1, 1, false, undefined)).toBeNull();
});

test('the cookie is never on an answer that a cache on the way may give to others', () => {
  for (const field of ['public, max-age=60', 's-maxage=5', 'max-age=31536000, immutable']) {
    expect(affinityCookie(1, -1, false, field)).toBeNull();
  }
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochCookie, isForMany, takeSeenEpoch } from '../../../src/proxy/fleet/epoch-cookie.ts';

function taken(...fields: string[]) {
  return { ...takeSeenEpoch(fields), fields };
}

test('the epoch is taken out of the cookies, and the others stay as they were', () => {
  expect(taken('Host', 'a', 'Cookie', 'a=1; slots-epoch=7; b=2')).toEqual({
    seen: 7,
    passed: false,
    fields: ['Host', 'a', 'Cookie', 'a=1; b=2'],
  });
  expect(taken('cookie', 'slots-epoch=7', 'Accept', '*/*').fields).toEqual(['Accept', '*/*']);
  expect(taken('Cookie', 'a=1', 'Cookie', 'slots-epoch=7').fields).toEqual(['Cookie', 'a=1']);
});

test('of several epochs the highest counts', () => {
  expect(taken('Cookie', 'slots-epoch=7; slots-epoch=9', 'Cookie', 'slots-epoch=8')).toEqual({
    seen: 9,
    passed: false,
    fields: [],
  });
});

test.each(['', '-1', '1.5', '1e9', 'x', '9999999999', '٣', '1 2'])(
  'the epoch %j counts as none, and does not reach the site either',
  (epoch) => {
    expect(taken('Cookie', `slots-epoch=${epoch}; a=1`)).toEqual({
      seen: 0,
      passed: false,
      fields: ['Cookie', 'a=1'],
    });
  },
);

test('a cookie whose name only looks alike is the site’s', () => {
  const fields = ['Cookie', 'xslots-epoch=7; slots-epochs=8; a=slots-epoch=9'];
  expect(taken(...fields)).toEqual({ seen: 0, passed: false, fields });
});

test('a request that another machine has passed on says so, and which epoch its visitor has seen', () => {
  expect(taken('Host', 'a', 'slots-passed', '7')).toEqual({
    seen: 7,
    passed: true,
    fields: ['Host', 'a'],
  });
});

test('whatever is in the fields, no epoch is left in them', () => {
  const value = fc.array(
    fc.constantFrom('slots-epoch=1', 'slots-epoch', 'slots-epoch=', 'a=1', '', 'Slots-Epoch=2'),
  );
  fc.assert(
    fc.property(fc.array(value), (cookies) => {
      const fields = cookies.flatMap((pairs) => ['Cookie', pairs.join('; ')]);
      takeSeenEpoch(fields);
      expect(fields.join('\n')).not.toMatch(/(^|[\n; ])slots-epoch=/);
    }),
  );
});

test('the cookie is of the whole site, not for scripts, and of TLS where there is TLS', () => {
  expect(epochCookie(7, false)).toBe('slots-epoch=7; Path=/; HttpOnly; SameSite=Lax');
  expect(epochCookie(7, true)).toBe('slots-epoch=7; Path=/; HttpOnly; SameSite=Lax; Secure');
});

test.each([
  ['public, max-age=60', true],
  ['s-maxage=1', true],
  ['Public, Max-Age=31536000, Immutable', true],
  ['max-age=60', false],
  ['public, max-age=0, must-revalidate', false],
  ['no-cache', false],
  ['private', false],
])('whether shared caches keep an answer with Cache-Control: %s for a time is %s', (value, is) => {
  expect(isForMany(['Content-Type', 'text/html', 'cache-control', value])).toBe(is);
});

test('an answer without Cache-Control is for one visitor', () => {
  expect(isForMany(['Content-Type', 'text/html'])).toBe(false);
});

import { expect, test } from 'vitest';
import { parseHttpDate } from '../../../src/proxy/cache/http-date.ts';

const NOW = Date.UTC(2026, 10, 28);

test.each([
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
])('the form %j of RFC 9110 is read', (text) => {
  expect(parseHttpDate(text, NOW)).toBe(Date.UTC(1994, 10, 6, 8, 49, 37));
});

test('a year of two digits is at most 50 years ahead', () => {
  expect(parseHttpDate('Sunday, 06-Nov-76 08:49:37 GMT', NOW)).toBe(
    Date.UTC(2076, 10, 6, 8, 49, 37),
  );
  expect(parseHttpDate('Sunday, 06-Nov-77 08:49:37 GMT', NOW)).toBe(
    Date.UTC(1977, 10, 6, 8, 49, 37),
  );
});

test.each([
  '0',
  '',
  '-1',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 1994 08:49:37 +0000',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'sun, 06 nov 1994 08:49:37 gmt',
  'Sun, 31 Feb 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:60:37 GMT',
  '1994-11-06T08:49:37Z',
  'Sun, 06 Nov 1994 08:49:37 GMT ',
])('%j is no HTTP date', (text) => {
  expect(parseHttpDate(text, NOW)).toBeNull();
});

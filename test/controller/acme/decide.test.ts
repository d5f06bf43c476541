import { expect, test } from 'vitest';
import {
  chooseChallenge,
  chooseDirectory,
  type HostFacts,
  isLate,
  nextTry,
  renewAt,
  renewalInfoDelay,
  retryDelay,
} from '../../../src/controller/acme/decide.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T = Date.UTC(2026, 0, 1);

const facts = (over: Partial<HostFacts> = {}): HostFacts => ({
  certificate: null,
  failures: null,
  window: null,
  ordered: [],
  unfinished: false,
  ...over,
});
const certificate = (days: number) => ({
  notBefore: T,
  notAfter: T + days * DAY,
  serial: `${days}`,
});
const failures = (retryAt: number) => ({
  count: 1,
  at: T,
  retryAt,
  askedToWait: false,
  error: 'no',
  hint: null,
  challenge: null,
});

test.each([
  [90, 60],
  [45, 30],
  [6, 4],
])('a certificate of %d days is renewed after %d', (lifetime, after) => {
  expect(renewAt(certificate(lifetime), null)).toBe(T + after * DAY);
});

test('renewal information moves a renewal into its window, to the same moment at each start', () => {
  const window = { start: T + DAY, end: T + 3 * DAY };
  const at = renewAt(certificate(90), window);
  expect(at).toBeGreaterThanOrEqual(window.start);
  expect(at).toBeLessThanOrEqual(window.end);
  expect(renewAt(certificate(90), window)).toBe(at);
  expect(renewAt({ ...certificate(90), serial: 'another' }, window)).not.toBe(at);
});

test('a host without a certificate is due at once', () => {
  expect(nextTry(facts())).toBe(0);
});

test('a host that has failed is not due before its time, however late its certificate is', () => {
  expect(nextTry(facts({ failures: failures(T + HOUR) }))).toBe(T + HOUR);
  const late = facts({ certificate: certificate(90), failures: failures(T + 100 * DAY) });
  expect(nextTry(late)).toBe(T + 100 * DAY);
  expect(nextTry(facts({ unfinished: true, failures: failures(T) }))).toBe(T);
});

test('an order that a killed controller has left is due at once, whatever certificate there is', () => {
  expect(nextTry(facts({ unfinished: true, certificate: certificate(90) }))).toBe(0);
});

test('a store that is lost is ordered anew once a day, not in a loop', () => {
  expect(nextTry(facts({ ordered: [T] }))).toBe(0);
  expect(nextTry(facts({ ordered: [T, T + HOUR] }))).toBe(T + DAY);
  expect(nextTry(facts({ ordered: [T, T + HOUR, T + 2 * HOUR] }))).toBe(T + HOUR + DAY);
});

test('short-lived certificates may be ordered many times a day', () => {
  const short = { notBefore: T, notAfter: T + 90_000, serial: '1' };
  expect(nextTry(facts({ certificate: short, ordered: [T, T + 1, T + 2] }))).toBe(T + 60_000);
});

test('tries come four times as far apart each time, up to a day, and less than five fall into the first hour', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 20].map((count) => retryDelay(count, null, 0.5));
  expect(waits.slice(0, 4)).toEqual([60_000, 240_000, 960_000, 3_840_000]);
  expect(waits.at(-1)).toBe(DAY);
  const soonest = [1, 2, 3, 4].map((count) => retryDelay(count, null, 0));
  expect(soonest.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(HOUR);
});

test('chance moves a try by a quarter at most, and never beyond a day', () => {
  expect(retryDelay(1, null, 0)).toBe(45_000);
  expect(retryDelay(1, null, 1)).toBe(75_000);
  expect(retryDelay(9, null, 1)).toBe(DAY);
});

test('a CA that asks to wait longer is waited for', () => {
  expect(retryDelay(1, 3 * DAY, 0.5)).toBe(3 * DAY);
  expect(retryDelay(1, 1, 0.5)).toBe(60_000);
});

test('renewal information is asked for between once a minute and once a day', () => {
  expect(renewalInfoDelay(null)).toBe(6 * HOUR);
  expect(renewalInfoDelay(0)).toBe(60_000);
  expect(renewalInfoDelay(40 * DAY)).toBe(DAY);
});

test('the other CA is asked in turns after three failures, and only if there is one', () => {
  const both = { directory: 'a', fallbackDirectory: 'b' };
  expect([0, 1, 2, 3, 4, 5].map((count) => chooseDirectory(both, count)).join('')).toBe('aaabab');
  expect(chooseDirectory({ directory: 'a' }, 9)).toBe('a');
});

test('HTTP-01 needs a port for plain HTTP, and gives way to TLS-ALPN-01 after it has failed', () => {
  expect(chooseChallenge(80, null).type).toBe('http-01');
  expect(chooseChallenge(80, 'http-01').type).toBe('tls-alpn-01');
  expect(chooseChallenge(80, 'tls-alpn-01').type).toBe('http-01');
  expect(chooseChallenge(undefined, 'tls-alpn-01').type).toBe('tls-alpn-01');
});

test('a certificate is late in the last third of its life', () => {
  expect(isLate(certificate(90), T + 59 * DAY)).toBe(false);
  expect(isLate(certificate(90), T + 61 * DAY)).toBe(true);
});

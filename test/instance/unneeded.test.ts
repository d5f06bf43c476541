import { beforeEach, expect, test, vi } from 'vitest';
import { whyUnneeded } from '../../src/instance/unneeded.ts';
import type { Owner } from '../../src/slots/run-socket.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  return () => vi.useRealTimers();
});

const lost = (role: string): Owner => ({ role, pid: 10, path: '', isOrphan: true });
const kept = (role: string): Owner => ({ role, pid: 20, path: '', isOrphan: false });

/** Asks every second, and says after how many seconds the answer was a reason to end; `null` for not in a minute. */
function endsAfter(others: Owner[], isActive = true): number | null {
  const why = whyUnneeded('blue', () => isActive);
  for (let second = 0; second <= 60; second++) {
    if (why(others) !== null) return second;
    vi.advanceTimersByTime(1000);
  }
  return null;
}

test('an instance that PM2 has lost is needed as long as the site has a proxy', () => {
  expect(endsAfter([lost('proxy'), lost('watcher')])).toBeNull();
  expect(endsAfter([lost('proxy')], false)).toBeNull();
});

test('an instance that PM2 has lost is needed by nobody when the site has had no proxy for 5 s', () => {
  expect(endsAfter([lost('watcher'), lost('blue')])).toBe(5);
  expect(endsAfter([])).toBe(5);
});

test('an instance of the active slot that PM2 has lost is needed until PM2 runs that slot again', () => {
  const back = [kept('proxy'), kept('watcher')];
  expect(endsAfter(back)).toBeNull();
  expect(endsAfter([...back, kept('green')])).toBeNull();
});

test('an instance that PM2 has lost ends when PM2 runs the slot with fewer instances', () => {
  const back = [kept('proxy'), kept('watcher')];
  expect(endsAfter([...back, kept('blue')])).toBe(30);
  expect(endsAfter([...back, kept('tcpblue')])).toBe(30);
});

test('an instance of another slot that PM2 has lost ends when PM2 runs the site without it', () => {
  expect(endsAfter([kept('proxy'), kept('watcher')], false)).toBe(30);
});

test('an instance that PM2 has lost does not end for a moment without a proxy', () => {
  const why = whyUnneeded('blue', () => true);
  for (const others of [[], [lost('proxy')], []]) {
    expect(why(others)).toBeNull();
    vi.advanceTimersByTime(4000);
  }
});

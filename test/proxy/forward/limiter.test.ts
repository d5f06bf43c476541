import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLimiter, type PlaceOwner } from '../../../src/proxy/forward/limiter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LIMITS = { inflightPerSlot: 2, queuedPerSlot: 2, queueTimeoutMs: 1000 };

type State = 'new' | 'inside' | 'away';

function owner(): PlaceOwner & { state: State } {
  return {
    state: 'new',
    admitted() {
      expect(this.state).toBe('new');
      this.state = 'inside';
    },
    turnedAway() {
      expect(this.state).toBe('new');
      this.state = 'away';
    },
  };
}

function entered(count: number, limits = LIMITS) {
  const limiter = createLimiter(limits);
  const owners = Array.from({ length: count }, owner);
  for (const one of owners) limiter.enter(one);
  return { limiter, owners, states: () => owners.map(({ state }) => state) };
}

test('so many are let in, so many wait, and the next is turned away', () => {
  expect(entered(5).states()).toEqual(['inside', 'inside', 'new', 'new', 'away']);
});

test('who waits comes in when somebody leaves, the first first', () => {
  const { limiter, owners, states } = entered(4);
  limiter.leave(owners[0] as PlaceOwner);
  expect(states()).toEqual(['inside', 'inside', 'inside', 'new']);
  limiter.leave(owners[1] as PlaceOwner);
  expect(states()[3]).toBe('inside');
});

test('who has waited too long is turned away, and makes room in the queue', () => {
  const { limiter, states } = entered(4);
  vi.advanceTimersByTime(1000);
  expect(states()).toEqual(['inside', 'inside', 'away', 'away']);
  const later = owner();
  limiter.enter(later);
  expect(later.state).toBe('new');
});

test('who leaves the queue is never let in', () => {
  const { limiter, owners, states } = entered(4);
  limiter.leave(owners[2] as PlaceOwner);
  limiter.leave(owners[0] as PlaceOwner);
  expect(states()).toEqual(['inside', 'inside', 'new', 'inside']);
  vi.advanceTimersByTime(5000);
  expect(states()[2]).toBe('new');
});

test('without a queue, who finds no room is turned away at once', () => {
  expect(entered(3, { ...LIMITS, queuedPerSlot: 0 }).states()).toEqual([
    'inside',
    'inside',
    'away',
  ]);
});

const step = fc.oneof(
  fc.constant({ type: 'enter' as const }),
  fc.record({ type: fc.constant('leave' as const), nth: fc.nat(9) }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(700) }),
);

test('whatever happens: there are never too many inside or waiting, and nobody waits while there is room', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const limiter = createLimiter(LIMITS);
      let present: ReturnType<typeof owner>[] = [];
      for (const next of steps) {
        if (next.type === 'wait') vi.advanceTimersByTime(next.ms);
        if (next.type === 'enter') {
          const one = owner();
          present.push(one);
          limiter.enter(one);
        }
        present = present.filter(({ state }) => state !== 'away');
        if (next.type === 'leave' && present.length > 0) {
          const [one] = present.splice(next.nth % present.length, 1);
          limiter.leave(one as PlaceOwner);
        }
        const inside = present.filter(({ state }) => state === 'inside').length;
        const waiting = present.length - inside;
        expect(inside).toBeLessThanOrEqual(LIMITS.inflightPerSlot);
        expect(waiting).toBeLessThanOrEqual(LIMITS.queuedPerSlot);
        if (waiting > 0) expect(inside).toBe(LIMITS.inflightPerSlot);
      }
    }),
  );
});

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createGate, type Guest } from '../../../src/proxy/forward/limiter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const LIMITS = { inflightPerSlot: 2, queuedPerSlot: 2, queueTimeoutMs: 1000 };

type State = 'new' | 'inside' | 'away';

function guest(): Guest & { state: State } {
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
  const gate = createGate(limits);
  const guests = Array.from({ length: count }, guest);
  for (const one of guests) gate.enter(one);
  return { gate, guests, states: () => guests.map(({ state }) => state) };
}

test('so many are let in, so many wait, and the next is turned away', () => {
  expect(entered(5).states()).toEqual(['inside', 'inside', 'new', 'new', 'away']);
});

test('who waits comes in when somebody leaves, the first first', () => {
  const { gate, guests, states } = entered(4);
  gate.leave(guests[0] as Guest);
  expect(states()).toEqual(['inside', 'inside', 'inside', 'new']);
  gate.leave(guests[1] as Guest);
  expect(states()[3]).toBe('inside');
});

test('who has waited too long is turned away, and makes room in the queue', () => {
  const { gate, states } = entered(4);
  vi.advanceTimersByTime(1000);
  expect(states()).toEqual(['inside', 'inside', 'away', 'away']);
  const later = guest();
  gate.enter(later);
  expect(later.state).toBe('new');
});

test('who leaves the queue is never let in', () => {
  const { gate, guests, states } = entered(4);
  gate.leave(guests[2] as Guest);
  gate.leave(guests[0] as Guest);
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

describe('whatever happens', () => {
  const step = fc.oneof(
    fc.constant({ type: 'enter' as const }),
    fc.record({ type: fc.constant('leave' as const), nth: fc.nat(9) }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.nat(700) }),
  );

  test('there are never too many inside or waiting, and nobody waits while there is room', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const gate = createGate(LIMITS);
        let present: ReturnType<typeof guest>[] = [];
        for (const next of steps) {
          if (next.type === 'wait') vi.advanceTimersByTime(next.ms);
          if (next.type === 'enter') {
            const one = guest();
            present.push(one);
            gate.enter(one);
          }
          present = present.filter(({ state }) => state !== 'away');
          if (next.type === 'leave' && present.length > 0) {
            const [one] = present.splice(next.nth % present.length, 1);
            gate.leave(one as Guest);
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
});

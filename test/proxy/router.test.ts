import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRouter, NOWHERE } from '../../src/proxy/router.ts';
import type { Slot } from '../../src/slots/slot.ts';
import type { Assignment } from '../../src/wire/assignment.ts';

function assignment(active: Slot | null, warm: readonly Slot[], epoch = 1): Assignment {
  const target = (slot: Slot) => ({ release: null, warm: warm.includes(slot) });
  const slots = { blue: target('blue'), green: target('green') };
  return { epoch, revision: 1, active, slots };
}

function routerAt(...assignments: Assignment[]) {
  const router = createRouter();
  for (const next of assignments) router.flip(next);
  return router;
}

test('a router that has been told nothing sends nobody anywhere', () => {
  const router = createRouter();
  expect(router.route()).toBeNull();
  expect(router.fallback('blue')).toBeNull();
  expect(router.fallback('green')).toBeNull();
  expect(router.current()).toBe(NOWHERE);
});

test('the request after a flip goes to the other slot', () => {
  const router = routerAt(assignment('blue', ['green'], 1));
  expect(router.route()).toBe('blue');
  expect(router.flip(assignment('green', ['blue'], 2))).toBe(true);
  expect(router.route()).toBe('green');
});

test.for([
  ['to the standby if it is warm', 'blue', ['green'], 'blue', 'green'],
  ['nowhere if the standby is not warm', 'blue', [], 'blue', null],
  ['nowhere for the refusing slot’s own warmth', 'blue', ['blue'], 'blue', null],
  ['to the active slot after a flip, warm or not', 'green', [], 'blue', 'green'],
  ['to the active slot after a flip, both warm', 'green', ['blue', 'green'], 'blue', 'green'],
  ['nowhere while there is no release', null, [], 'blue', null],
] as const)('a request that a slot refuses goes %s', ([, active, warm, refused, expected]) => {
  expect(routerAt(assignment(active, warm)).fallback(refused)).toBe(expected);
});

test.for([
  ['of the next epoch is taken', 6, true],
  ['of the same epoch is taken, for warmth and releases change without a flip', 5, true],
  ['of an older epoch changes nothing', 4, false],
] as const)('an assignment %s', ([, epoch, taken]) => {
  const [known, next] = [assignment('green', [], 5), assignment('blue', [], epoch)];
  const router = routerAt(known);
  expect(router.flip(next)).toBe(taken);
  expect(router.current()).toBe(taken ? next : known);
});

test('a router that knows nothing takes whatever assignment it gets', () => {
  expect(createRouter().flip(assignment(null, [], 0))).toBe(true);
});

test('whatever order assignments come in, the epoch of a router never falls', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 1 }), (epochs) => {
      const router = createRouter();
      for (const epoch of epochs) {
        const before = router.current().epoch;
        router.flip(assignment('blue', [], epoch));
        expect(router.current().epoch).toBe(Math.max(before, epoch));
      }
    }),
  );
});

import { describe, expect, test } from 'vitest';
import { fallback, isNewer, NOWHERE } from '../../src/proxy/router.ts';
import type { Slot } from '../../src/slots/slot.ts';
import type { Assignment } from '../../src/wire/assignment.ts';

function assignment(active: Slot | null, warm: Slot[], epoch = 1): Assignment {
  const target = (slot: Slot) => ({ port: 1, release: null, warm: warm.includes(slot) });
  const slots = { blue: target('blue'), green: target('green') };
  return { epoch, revision: 1, active, slots };
}

describe('when a slot refuses, the request goes', () => {
  test.for([
    ['to the standby if it is warm', 'blue', ['green'], 'blue', 'green'],
    ['nowhere if the standby is not warm', 'blue', [], 'blue', null],
    ['nowhere for the refusing slot’s own warmth', 'blue', ['blue'], 'blue', null],
    ['to the active slot after a flip, warm or not', 'green', [], 'blue', 'green'],
    ['to the active slot after a flip, both warm', 'green', ['blue', 'green'], 'blue', 'green'],
    ['nowhere while there is no release', null, [], 'blue', null],
  ] as const)('%s', ([, active, warm, refused, expected]) => {
    expect(fallback(assignment(active, [...warm]), refused)).toBe(expected);
  });
});

describe('an assignment is taken', () => {
  test.for([
    ['of the next epoch', 6, true],
    ['of the same epoch, for warmth and releases change without a flip', 5, true],
    ['of an older epoch never', 4, false],
  ] as const)('%s', ([, epoch, taken]) => {
    expect(isNewer(assignment('blue', [], epoch), assignment('green', [], 5))).toBe(taken);
  });

  test('whatever it is, by a worker that knows nothing', () => {
    expect(isNewer(assignment(null, [], 0), NOWHERE)).toBe(true);
    expect(NOWHERE.active).toBeNull();
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRoster, type Seated } from '../../../src/proxy/forward/live-set.ts';

test('has whoever came and has not gone, in whichever order they come and go', () => {
  const step = fc.record({ comes: fc.boolean(), who: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const roster = createRoster<Seated>();
      const people = Array.from({ length: 10 }, (): Seated => ({ seat: -1 }));
      const expected = new Set<Seated>();
      for (const { comes, who } of steps) {
        const one = people[who] as Seated;
        if (!comes) expect(roster.remove(one)).toBe(expected.delete(one));
        else if (!expected.has(one)) {
          roster.add(one);
          expected.add(one);
        }
        expect(new Set(roster.all())).toEqual(expected);
        expect(roster.all()).toHaveLength(expected.size);
      }
    }),
  );
});

test('keeps who is there when one leaves who is elsewhere, at the same seat', () => {
  const [here, there] = [createRoster<Seated>(), createRoster<Seated>()];
  const [one, other] = [{ seat: -1 }, { seat: -1 }];
  here.add(one);
  there.add(other);
  expect(here.remove(other)).toBe(false);
  expect(here.all()).toEqual([one]);
});

test('may be emptied while it is walked through', () => {
  const roster = createRoster<Seated>();
  const people = Array.from({ length: 5 }, (): Seated => ({ seat: -1 }));
  for (const one of people) roster.add(one);
  const seen = roster.all().filter((one) => roster.remove(one));
  expect(seen).toEqual(people);
  expect(roster.all()).toEqual([]);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLiveSet, type LiveSetMember } from '../../src/proxy/live-set.ts';

test('has whoever came and has not gone, in whichever order they come and go', () => {
  const step = fc.record({ comes: fc.boolean(), who: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const liveSet = createLiveSet<LiveSetMember>();
      const people = Array.from({ length: 10 }, (): LiveSetMember => ({ liveIndex: -1 }));
      const expected = new Set<LiveSetMember>();
      for (const { comes, who } of steps) {
        const one = people[who] as LiveSetMember;
        if (!comes) expect(liveSet.remove(one)).toBe(expected.delete(one));
        else if (!expected.has(one)) {
          liveSet.add(one);
          expected.add(one);
        }
        expect(new Set(liveSet.all())).toEqual(expected);
        expect(liveSet.all()).toHaveLength(expected.size);
      }
    }),
  );
});

test('keeps who is there when one leaves who is elsewhere, at the same liveIndex', () => {
  const [here, there] = [createLiveSet<LiveSetMember>(), createLiveSet<LiveSetMember>()];
  const [one, other] = [{ liveIndex: -1 }, { liveIndex: -1 }];
  here.add(one);
  there.add(other);
  expect(here.remove(other)).toBe(false);
  expect(here.all()).toEqual([one]);
});

test('may be emptied while it is walked through', () => {
  const liveSet = createLiveSet<LiveSetMember>();
  const people = Array.from({ length: 5 }, (): LiveSetMember => ({ liveIndex: -1 }));
  for (const one of people) liveSet.add(one);
  const seen = liveSet.all().filter((one) => liveSet.remove(one));
  expect(seen).toEqual(people);
  expect(liveSet.all()).toEqual([]);
});

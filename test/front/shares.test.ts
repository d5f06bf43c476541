import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mayOpen, shareOf } from '../../src/front/shares.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;

test('a flood on one site leaves every other site its share', () => {
  const places = { total: 100, sites: 4 };
  const open = [0, 0, 0, 0];
  const tryOpen = (site: number): boolean => {
    const may = mayOpen({ open: open[site] as number, limit: NO_LIMIT }, () => open, places);
    if (may) (open[site] as number)++;
    return may;
  };
  let flood = 0;
  while (tryOpen(0)) flood++;
  expect(flood).toBe(shareOf(places) + places.total - 4 * shareOf(places));
  for (const site of [1, 2, 3]) {
    for (let i = 0; i < shareOf(places); i++) expect(tryOpen(site)).toBe(true);
    expect(tryOpen(site)).toBe(false);
  }
});

test('no more than all places are given out, and each site can always have its share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 500 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.nat(4), { maxLength: 600 }),
      (total, sites, asked) => {
        const places = { total, sites };
        const open = new Array<number>(sites).fill(0);
        for (const one of asked) {
          const site = one % sites;
          const own = open[site] as number;
          const may = mayOpen({ open: own, limit: NO_LIMIT }, () => open, places);
          if (own < shareOf(places)) expect(may).toBe(true);
          if (may) open[site] = own + 1;
        }
        expect(open.reduce((a, b) => a + b)).toBeLessThanOrEqual(total);
      },
    ),
  );
});

test("a site's own limit holds below its share", () => {
  expect(mayOpen({ open: 3, limit: 3 }, () => [3], { total: 100, sites: 1 })).toBe(false);
});

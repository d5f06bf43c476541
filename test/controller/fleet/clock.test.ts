import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bestOf, sampleOf, withSample } from '../../../src/controller/fleet/clock.ts';

test('the server’s clock is never further away than the error says', () => {
  const ms = fc.double({ min: 0, max: 1000, noNaN: true });
  const offset = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(offset, ms, ms, (truth, there, back) => {
      const sentAt = 5000;
      const { offsetMs, errorMs } = sampleOf(sentAt, sentAt + there + back, sentAt + there + truth);
      expect(Math.abs(offsetMs - truth)).toBeLessThanOrEqual(errorMs + 1e-6);
    }),
  );
});

test('the sample with the shortest way counts, and old ones are forgotten', () => {
  expect(bestOf([])).toBeNull();
  let samples = withSample([], { at: 0, offsetMs: 1, errorMs: 0.1 });
  samples = withSample(samples, { at: 1000, offsetMs: 9, errorMs: 5 });
  expect(bestOf(samples)?.offsetMs).toBe(1);
  for (let n = 0; n < 64; n++) samples = withSample(samples, { at: 2000, offsetMs: 3, errorMs: 2 });
  expect(bestOf(samples)).toEqual({ offsetMs: 3, errorMs: 2 });
});

test('a sample is worth less the longer ago it was taken, for clocks drift', () => {
  const old = { at: 0, offsetMs: 1, errorMs: 0.1 };
  const later = (at: number) => withSample([old], { at, offsetMs: 2, errorMs: 1 });
  expect(bestOf(later(10_000))).toMatchObject({ offsetMs: 1, errorMs: expect.closeTo(0.6) });
  expect(bestOf(later(20_000))).toEqual({ offsetMs: 2, errorMs: 1 });
});

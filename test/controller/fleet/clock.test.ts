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
  let samples = withSample([], { offsetMs: 1, errorMs: 0.1 });
  samples = withSample(samples, { offsetMs: 9, errorMs: 5 });
  expect(bestOf(samples)?.offsetMs).toBe(1);
  for (let n = 0; n < 16; n++) samples = withSample(samples, { offsetMs: 3, errorMs: 2 });
  expect(bestOf(samples)?.offsetMs).toBe(3);
});

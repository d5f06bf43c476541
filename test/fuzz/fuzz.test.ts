import { expect, test } from 'vitest';
import { makeCertificate } from '../support/tls.ts';
import { fuzz } from './run.ts';

/** Other seeds each day, and the same for all runs of a day. */
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Date.now() / 86_400_000) * 1000);
const FOR_MS = 45_000;

test('whatever visitors and the site do, each visitor gets only what is theirs and nothing is left', async () => {
  const { counts, faults } = await fuzz({
    seed: SEED,
    forMs: FOR_MS,
    certificate: await makeCertificate(),
  });
  expect(faults, `FUZZ_SEED=${SEED}`).toEqual([]);
  expect(counts.whole).toBeGreaterThan(100);
  expect(counts.broken).toBeGreaterThan(0);
  console.log(`fuzz, seed ${SEED}: ${JSON.stringify(counts)}`);
}, 180_000);

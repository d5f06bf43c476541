/** `npm run fuzz -- [--minutes N] [--seed N] [--rounds N] [--from ROUND]`: prints its seed and its counts, and exits with 1 on a fault. */
import { parseArgs } from 'node:util';
import { certificateFiles } from '../support/certificate-files.ts';
import { fuzz } from './run.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    rounds: { type: 'string' },
    from: { type: 'string', default: '0' },
  },
});
const seed = Number(values.seed);
const minutes = Number(values.minutes);
const from = Number(values.from);
const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
if (![seed, minutes, from, rounds ?? 1].every((number) => Number.isFinite(number) && number >= 0)) {
  console.error('fuzz: --minutes, --seed, --rounds and --from take a number');
  process.exit(2);
}
console.log(`seed ${seed}`);
const { certificate, remove } = await certificateFiles();
const { counts, faults, heapMiB } = await fuzz({
  seed,
  rounds,
  from,
  forMs: minutes * 60_000,
  certificate,
  onRound: (so, look) => {
    if (so.rounds % 20 === 0) {
      console.log(`${JSON.stringify(so)} heap ${look.heapMiB.toFixed(1)} MiB`);
    }
  },
});
await remove();
console.log(JSON.stringify(counts));
console.log(`heap ${heapMiB.first.toFixed(1)} to ${heapMiB.last.toFixed(1)} MiB`);
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);

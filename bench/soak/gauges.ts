import { readdir } from 'node:fs/promises';
import { table } from '../../src/cli/terminal/format.ts';
import { readMemory } from '../../test/support/memory.ts';
import type { PlainSite } from '../../test/support/plain-site.ts';
import { median } from '../table.ts';

/** The gauges of each kind of process: the largest of its kind. */
interface Sample {
  /** Since the start, in milliseconds. */
  at: number;
  memoryMiB: number;
  descriptors: number;
}

export const KINDS = ['daemon', 'watcher', 'proxy', 'instance'] as const;

type Kind = (typeof KINDS)[number];

/** A process may need so much more at the end than after the warm-up, and leak nothing. */
const MEMORY_FACTOR = 1.6;
const MEMORY_MARGIN_MIB = 40;
const DESCRIPTOR_MARGIN = 25;

export interface Gauges {
  sample(): Promise<void>;
  latest(kind: Kind): number;
  /** From here on counts; what came before was the warm-up. */
  warmedUp(): void;
  report(): string;
  /** Growth that should not be. */
  complaints(): string[];
}

export function createGauges(site: PlainSite): Gauges {
  const started = performance.now();
  const samples = new Map<Kind, Sample[]>(KINDS.map((kind) => [kind, []]));
  const of = (kind: Kind) => samples.get(kind) as Sample[];

  const summary = (kind: Kind) => {
    const list = of(kind);
    const [first, last] = [list[0], list.at(-1)];
    if (!first || !last) return null;
    const most = list.reduce((max, { memoryMiB }) => Math.max(max, memoryMiB), 0);
    // The median of the last few: one sample may have met a garbage collector that was late.
    const end = median(list.slice(-9).map(({ memoryMiB }) => memoryMiB));
    return { first, last, most, end, slope: slopePerHour(list) };
  };

  return {
    async sample() {
      const at = performance.now() - started;
      for (const [kind, pids] of Object.entries(await pidsByKind(site))) {
        const each = await Promise.all(pids.map(measure));
        const found = each.filter((one) => one !== null);
        if (found.length === 0) continue;
        of(kind as Kind).push({
          at,
          memoryMiB: Math.max(...found.map(({ memoryMiB }) => memoryMiB)),
          descriptors: Math.max(...found.map(({ descriptors }) => descriptors)),
        });
      }
    },
    latest: (kind) => Math.round(of(kind).at(-1)?.memoryMiB ?? 0),
    warmedUp() {
      for (const list of samples.values()) list.length = 0;
    },
    report() {
      const head = ['process', 'start', 'max', 'end', 'per hour', 'descriptors'];
      const rows = KINDS.flatMap((kind) => {
        const found = summary(kind);
        if (!found) return [];
        const { first, last, most, end, slope } = found;
        const sign = slope < 0 ? '−' : '+';
        return [
          [
            kind,
            `${Math.round(first.memoryMiB)} MiB`,
            `${Math.round(most)} MiB`,
            `${Math.round(end)} MiB`,
            `${sign}${Math.abs(slope).toFixed(1)} MiB`,
            `${first.descriptors} → ${last.descriptors}`,
          ],
        ];
      });
      return table([head, ...rows]);
    },
    complaints() {
      return KINDS.flatMap((kind) => {
        const found = summary(kind);
        if (!found) return [`no process of ${kind} was seen`];
        const { first, last, end } = found;
        const grew = end > first.memoryMiB * MEMORY_FACTOR + MEMORY_MARGIN_MIB;
        const leaked = last.descriptors > first.descriptors + DESCRIPTOR_MARGIN;
        return [
          ...(grew ? [`the memory of ${kind} grew to ${Math.round(end)} MiB`] : []),
          ...(leaked ? [`${kind} has ${last.descriptors} descriptors open`] : []),
        ];
      });
    },
  };
}

async function pidsByKind(site: PlainSite): Promise<Record<Kind, number[]>> {
  const [{ watcher, proxy, blue, green }, daemon] = await Promise.all([
    site.pids(),
    site.daemonPid(),
  ]);
  return { daemon: daemon ? [daemon] : [], watcher, proxy, instance: [...blue, ...green] };
}

/** `null` for a process that has just ended. */
async function measure(pid: number): Promise<Omit<Sample, 'at'> | null> {
  try {
    const memoryMiB = readMemory(pid).bytes / 2 ** 20;
    return { memoryMiB, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
  } catch {
    return null;
  }
}

/** The line of least squares through the samples, in MiB an hour. */
function slopePerHour(list: readonly Sample[]): number {
  const mean = (pick: (sample: Sample) => number) =>
    list.reduce((sum, sample) => sum + pick(sample), 0) / list.length;
  const [t, m] = [mean(({ at }) => at), mean(({ memoryMiB }) => memoryMiB)];
  const above = list.reduce((sum, { at, memoryMiB }) => sum + (at - t) * (memoryMiB - m), 0);
  const below = list.reduce((sum, { at }) => sum + (at - t) ** 2, 0);
  return below === 0 ? 0 : (above / below) * 3_600_000;
}

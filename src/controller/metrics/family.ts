import type { Metric } from 'prom-client';
import type { Snapshot } from './snapshot.ts';

export interface Sample {
  labels: Record<string, string | number>;
  value: number;
  /** When it is not the family's own: a histogram's `_bucket`, `_sum` and `_count`. */
  name?: string;
}

/** One metric: what it is called, what it means, and how it is read. */
export interface Family {
  name: string;
  /** Names the unit where there is one. */
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  labels: string[];
  read(snapshot: Snapshot): Sample[];
}

/** A family as prom-client's registry takes it: it prints whatever has a `get`. */
export function toMetric(
  { name, help, type, read }: Family,
  take: () => Promise<Snapshot>,
): Metric {
  const get = async () => {
    const samples = read(await take());
    const values = samples.map((sample) => ({ ...sample, metricName: sample.name ?? name }));
    return { name, help, type, aggregator: 'sum', values };
  };
  return { name, get } as unknown as Metric;
}

/** A histogram's samples from counts per bucket, the last of which is above every bound. */
export function histogramSamples(
  name: string,
  labels: Record<string, string>,
  bounds: readonly number[],
  counts: readonly number[],
  sum: number,
): Sample[] {
  let below = 0;
  const buckets = [...bounds, '+Inf'].map((le, index) => {
    below += counts[index] ?? 0;
    return { name: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { name: `${name}_sum`, labels, value: sum },
    { name: `${name}_count`, labels, value: below },
  ];
}

import { collectDefaultMetrics, Registry } from 'prom-client';
import { certificateFamilies } from './certificates.ts';
import { eventFamilies } from './events.ts';
import { type Family, toMetric } from './family.ts';
import { fleetFamilies } from './fleet.ts';
import { processFamilies } from './processes.ts';
import type { MetricsParts, Snapshot } from './snapshot.ts';
import { takeSnapshot } from './snapshot.ts';
import { stateFamilies } from './state.ts';
import { trafficFamilies } from './traffic.ts';

export interface Metrics {
  contentType: string;
  /** Prometheus' text format. */
  text(): Promise<string>;
}

/** Every family of ours, in the order in which it is shown and documented. */
export const FAMILIES: Family[] = [
  ...trafficFamilies,
  ...stateFamilies,
  ...fleetFamilies,
  ...eventFamilies,
  ...certificateFamilies,
  ...processFamilies,
];

/** Ours are read at each scrape from what the controller knows anyway; prom-client adds this process's own. */
export function createMetrics(parts: MetricsParts): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  let snapshot: Promise<Snapshot> | null = null;
  const read = () => {
    snapshot ??= takeSnapshot(parts);
    return snapshot;
  };
  for (const family of FAMILIES) registry.registerMetric(toMetric(family, read));
  return {
    contentType: registry.contentType,
    async text() {
      snapshot = null;
      return registry.metrics();
    },
  };
}

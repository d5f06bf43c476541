import { SLOTS } from '../../slots/slot.ts';
import { LATENCY_BOUNDS_MS, type Traffic } from '../../wire/messages.ts';
import { cacheOf } from '../workers/cache-summary.ts';
import { type Family, histogramSamples } from './family.ts';
import type { Snapshot } from './snapshot.ts';
import { CACHE_RESULTS } from './traffic-counters.ts';

const LATENCY = 'slots_request_latency_seconds';
const BOUNDS_S = LATENCY_BOUNDS_MS.map((ms) => ms / 1000);
const CLASSES = [1, 2, 3, 4, 5];

/** Only of kept releases: a series for each release there ever was would be without end. */
function shown({ sums, releases }: Snapshot): { labels: Record<string, string>; of: Traffic }[] {
  return sums.traffic
    .filter(({ release }) => release !== null && releases.has(release))
    .map((of) => ({ labels: { slot: of.slot, release: of.release as string }, of }));
}

export const trafficFamilies: Family[] = [
  {
    name: 'slots_requests_total',
    help: 'Answers to visitors, by the slot and the release they were routed to and by status class (1xx: WebSockets).',
    type: 'counter',
    labels: ['slot', 'release', 'class'],
    read: (snapshot) =>
      shown(snapshot).flatMap(({ labels, of }) =>
        CLASSES.map((digit) => ({
          labels: { ...labels, class: `${digit}xx` },
          value: of.classes[digit] ?? 0,
        })),
      ),
  },
  {
    name: LATENCY,
    help: "Time from a request's head to its answer's head, in seconds.",
    type: 'histogram',
    labels: ['slot', 'release', 'le'],
    read: (snapshot) =>
      shown(snapshot).flatMap(({ labels, of }) =>
        histogramSamples(LATENCY, labels, BOUNDS_S, of.latency, of.latencySumMs / 1000),
      ),
  },
  {
    name: 'slots_requests_refused_total',
    help: 'Requests that no slot got and the proxy answered itself: bad ones, and all before the first release. By status class.',
    type: 'counter',
    labels: ['class'],
    read: ({ sums }) =>
      [4, 5].map((digit) => ({
        labels: { class: `${digit}xx` },
        value: sums.refused[digit] ?? 0,
      })),
  },
  {
    name: 'slots_upstream_errors_total',
    help: "Requests that failed for the site's fault before an answer's head, by slot.",
    type: 'counter',
    labels: ['slot'],
    read: ({ sums }) =>
      SLOTS.map((slot) => ({ labels: { slot }, value: sums.upstreamErrors[slot] })),
  },
  {
    name: 'slots_retries_total',
    help: 'Requests that were sent to the same slot again: no byte of the first attempt can have been processed.',
    type: 'counter',
    labels: [],
    read: ({ sums }) => [{ labels: {}, value: sums.retries }],
  },
  {
    name: 'slots_failovers_total',
    help: 'Requests that went to the other slot because theirs refused the connection.',
    type: 'counter',
    labels: [],
    read: ({ sums }) => [{ labels: {}, value: sums.failovers }],
  },
  {
    name: 'slots_cache_requests_total',
    help: 'Requests by what the release cache made of them: hit, stale, revalidated, miss or bypass.',
    type: 'counter',
    labels: ['result'],
    read: ({ sums }) =>
      CACHE_RESULTS.map((result) => ({ labels: { result }, value: sums.cache[result] })),
  },
  {
    name: 'slots_cache_entries',
    help: 'Answers in the memory of all workers.',
    type: 'gauge',
    labels: [],
    read: ({ workers }) => [{ labels: {}, value: cacheOf(workers).entries }],
  },
  {
    name: 'slots_cache_bytes',
    help: 'Memory that these answers take, in bytes.',
    type: 'gauge',
    labels: [],
    read: ({ workers }) => [{ labels: {}, value: cacheOf(workers).bytes }],
  },
  {
    name: 'slots_inflight',
    help: 'Requests and WebSockets that are open, by slot.',
    type: 'gauge',
    labels: ['slot'],
    read: ({ workers }) =>
      SLOTS.map((slot) => ({
        labels: { slot },
        value: workers.reduce((sum, { inflight }) => sum + inflight[slot], 0),
      })),
  },
];

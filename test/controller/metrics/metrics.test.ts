import { expect, test } from 'vitest';
import type { CertificateStatus } from '../../../src/controller/acme/status.ts';
import {
  countPromotion,
  createEventCounters,
} from '../../../src/controller/metrics/event-counters.ts';
import { createMetrics, FAMILIES } from '../../../src/controller/metrics/metrics.ts';
import type { MetricsParts } from '../../../src/controller/metrics/snapshot.ts';
import { createTrafficCounters } from '../../../src/controller/metrics/traffic-counters.ts';
import type { Instance } from '../../../src/pm2.ts';
import { countAnswer, createWorkerCounters } from '../../../src/proxy/metrics/counters.ts';
import { EMPTY_STATE, type LastPromotion, type State } from '../../../src/slots/state.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { testConfig } from '../../support/test-config.ts';
import { exampleOf } from '../../support/test-operations.ts';
import { until } from '../../support/until.ts';

const [ONE, TWO] = [releaseIdOf(1), releaseIdOf(2)];

const PROMOTED: LastPromotion = {
  id: 'p',
  release: TWO,
  outcome: 'promoted',
  stage: 'reload',
  error: null,
  finishedAt: '2026-01-01T00:00:10.000Z',
  durationsMs: { build: 700_000, flip: 12 },
  trigger: 'edit',
  startedAt: '2026-01-01T00:00:00.000Z',
};

const STATE: State = {
  ...EMPTY_STATE,
  epoch: 7,
  active: 'green',
  slots: { blue: { release: ONE }, green: { release: TWO } },
  paused: true,
  last: PROMOTED,
};

function instance(pmId: number, memoryBytes: number): Instance {
  return {
    pid: 100 + pmId,
    pmId,
    memoryBytes,
    status: pmId === 9 ? 'errored' : 'online',
    uptimeMs: 1000,
    restarts: 3,
    exitCode: null,
    started: null,
    definition: null,
    outLog: '',
    errorLog: '',
    nodeVersion: null,
    isModule: false,
    script: null,
    root: null,
  };
}

async function setUp(over: Partial<MetricsParts> = {}) {
  const paths = await tempSite();
  for (const id of [ONE, TWO]) await putRelease(paths, id);
  const trafficCounters = createTrafficCounters(0, 10);
  const eventCounters = createEventCounters();
  const counters = { since: 1, inflight: { blue: 0, green: 2 } };
  const worker = { pid: 1, epoch: 7, inflight: counters.inflight, counters: null };
  const metrics = createMetrics({
    config: testConfig(),
    paths,
    store: { state: STATE },
    workers: { status: () => [worker, worker] },
    pm2: {
      all: async () =>
        new Map([
          ['site-proxy', [instance(4, 400), instance(3, 300)]],
          ['site-blue', [instance(9, 0)]],
          ['another-site', [instance(5, 500)]],
        ]),
    },
    monitor: { isHealthy: (slot) => slot === 'green' },
    inbox: { pending: () => 4 },
    trafficCounters,
    keeper: null,
    eventCounters,
    ...over,
  });
  const lines = async (name: string) =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(name));
  return { metrics, trafficCounters, eventCounters, lines };
}

/** A worker's report after these answers from one slot with one release. */
function report(slot: 'blue' | 'green', release: string | null, answers: [number, number][]) {
  const counters = createWorkerCounters(1);
  counters.serve(slot, release);
  for (const [status, ms] of answers) countAnswer(counters.traffic[slot], status, ms);
  return counters.counters;
}

test('requests are summed over workers, by slot, release and status class', async () => {
  const { trafficCounters, lines } = await setUp();
  trafficCounters.add(
    1,
    report('green', TWO, [
      [200, 2],
      [404, 2],
      [200, 2],
    ]),
  );
  trafficCounters.add(
    2,
    report('green', TWO, [
      [200, 2],
      [503, 2],
    ]),
  );
  trafficCounters.add(3, report('blue', ONE, [[301, 2]]));
  const shown = await lines('slots_requests_total');
  expect(shown).toContain(`slots_requests_total{slot="green",release="${TWO}",class="2xx"} 3`);
  expect(shown).toContain(`slots_requests_total{slot="green",release="${TWO}",class="4xx"} 1`);
  expect(shown).toContain(`slots_requests_total{slot="green",release="${TWO}",class="5xx"} 1`);
  expect(shown).toContain(`slots_requests_total{slot="blue",release="${ONE}",class="3xx"} 1`);
  expect(shown).toHaveLength(10);
});

test('requests of releases that are not kept are not shown, however many there were', async () => {
  const { trafficCounters, metrics } = await setUp();
  for (let number = 3; number < 8; number++) {
    trafficCounters.add(number, report('blue', releaseIdOf(number), [[200, 1]]));
  }
  trafficCounters.add(99, report('blue', null, [[200, 1]]));
  trafficCounters.add(100, report('blue', ONE, [[200, 1]]));
  const text = await metrics.text();
  for (let number = 3; number < 8; number++) expect(text).not.toContain(releaseIdOf(number));
  expect(text).not.toContain('release="null"');
  expect(text).toContain(ONE);
});

test('requests have a latency histogram in seconds whose buckets add up', async () => {
  const { trafficCounters, lines } = await setUp();
  trafficCounters.add(
    1,
    report('green', TWO, [
      [200, 1],
      [200, 4],
      [200, 60_000],
    ]),
  );
  const name = 'slots_request_latency_seconds';
  const of = `slot="green",release="${TWO}"`;
  const shown = await lines(name);
  expect(shown[0]).toBe(`${name}_bucket{${of},le="0.001"} 1`);
  expect(shown).toContain(`${name}_bucket{${of},le="0.005"} 2`);
  expect(shown).toContain(`${name}_bucket{${of},le="10"} 2`);
  expect(shown).toContain(`${name}_bucket{${of},le="+Inf"} 3`);
  expect(shown).toContain(`${name}_sum{${of}} 60.005`);
  expect(shown).toContain(`${name}_count{${of}} 3`);
});

test('the state is shown with what is open, pending and healthy', async () => {
  const { metrics } = await setUp();
  const text = await metrics.text();
  for (const line of [
    'slots_active{slot="blue"} 0',
    'slots_active{slot="green"} 1',
    `slots_slot_info{slot="blue",release="${ONE}",role="standby"} 1`,
    'slots_slot_healthy{slot="blue"} 0',
    'slots_epoch 7',
    'slots_inflight{slot="green"} 4',
    'slots_edits_paused 1',
    'slots_edits_pending 4',
    'slots_promotion_running 0',
    'slots_last_promotion_timestamp_seconds{outcome="promoted"} 1767225610',
  ]) {
    expect(text).toContain(`\n${line}\n`);
  }
  expect(text).toMatch(/\nslots_build_info\{version="[\d.]+",node="v\d+/);
  expect(text).toContain('\nprocess_resident_memory_bytes ');
});

test('the state of the processes is by app and a number that outlives restarts', async () => {
  const { lines } = await setUp();
  expect(await lines('slots_process_')).toEqual(
    expect.arrayContaining([
      'slots_process_memory_bytes{app="proxy",instance="0"} 300',
      'slots_process_memory_bytes{app="proxy",instance="1"} 400',
      'slots_process_online{app="blue",instance="0"} 0',
      'slots_process_restarts{app="proxy",instance="1"} 3',
    ]),
  );
  expect(await lines('slots_process_memory_bytes')).toHaveLength(3);
});

test('the state is shown without the processes while PM2 hangs or is gone', async () => {
  for (const all of [() => new Promise<never>(() => {}), () => Promise.reject(new Error('gone'))]) {
    const { lines } = await setUp({ pm2: { all } });
    const shown = await lines('slots_');
    expect(shown).toContain('slots_epoch 7');
    expect(shown.filter((line) => line.startsWith('slots_process_'))).toEqual([]);
  }
});

test('promotions are counted by outcome, and their stages timed in seconds', async () => {
  const { eventCounters, lines } = await setUp();
  countPromotion(eventCounters, PROMOTED);
  countPromotion(eventCounters, { ...PROMOTED, outcome: 'failed' });
  expect(await lines('slots_promotions_total')).toEqual([
    'slots_promotions_total{outcome="promoted"} 1',
    'slots_promotions_total{outcome="failed"} 1',
    'slots_promotions_total{outcome="rolled-back"} 0',
  ]);
  const shown = await lines('slots_promotion_stage_duration_seconds');
  const name = 'slots_promotion_stage_duration_seconds';
  expect(shown).toContain(`${name}_bucket{stage="flip",le="0.05"} 2`);
  expect(shown).toContain(`${name}_bucket{stage="build",le="600"} 0`);
  expect(shown).toContain(`${name}_count{stage="build"} 2`);
  expect(shown).toContain(`${name}_sum{stage="build"} 1400`);
  expect(shown).toContain(`${name}_count{stage="drain"} 0`);
});

test('the text is what Prometheus reads: each family once, with help, type and valid samples', async () => {
  const { trafficCounters, metrics } = await setUp();
  trafficCounters.add(1, report('green', TWO, [[200, 1]]));
  const text = await until(() => metrics.text(), 'the text');
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  for (const { name, type } of FAMILIES) {
    expect(text.split(`# HELP ${name} `)).toHaveLength(2);
    expect(text.split(`# TYPE ${name} ${type}\n`)).toHaveLength(2);
  }
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const sample of samples) {
    expect(sample).toMatch(
      /^[a-z_][a-z0-9_]*(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? (-?[\d.]+(e[+-]?\d+)?|Nan|NaN|\+Inf)$/,
    );
  }
  expect(new Set(samples.map((sample) => sample.replace(/ \S+$/, ''))).size).toBe(samples.length);
});

test('certificates that are ordered have samples by host', async () => {
  const certificate = exampleOf('/api/certificates') as unknown as CertificateStatus[];
  const waiting = {
    ...(certificate[0] as CertificateStatus),
    hosts: ['new.example.com'],
    notAfter: null,
    isLate: true,
    lastError: 'no such host',
  };
  const { lines } = await setUp({ keeper: { status: () => [...certificate, waiting] } });
  expect(await lines('slots_certificate_expiry_timestamp_seconds')).toEqual([
    `slots_certificate_expiry_timestamp_seconds{host="example.com"} ${Date.UTC(2026, 3, 1, 8) / 1000}`,
  ]);
  expect(await lines('slots_certificate_late')).toEqual([
    'slots_certificate_late{host="example.com"} 0',
    'slots_certificate_late{host="new.example.com"} 1',
  ]);
  expect(await lines('slots_certificate_failing')).toEqual([
    'slots_certificate_failing{host="example.com"} 0',
    'slots_certificate_failing{host="new.example.com"} 1',
  ]);
});

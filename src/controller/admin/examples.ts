/** Answers as they look, for the documentation; a test holds them against the schemas. */

const release = 'r20260131T120000-1a2b3c';
const previous = 'r20260130T093000-9f8e7d';
const id = '0b6f1c9e-8a57-4c1b-9f0e-2f6f4c1f7a10';

const instance = {
  pid: 4711,
  status: 'online',
  uptimeMs: 65_000,
  memoryBytes: 73_400_320,
  restarts: 0,
};

const last = {
  id,
  release,
  outcome: 'promoted',
  stage: 'reload',
  error: null,
  finishedAt: '2026-01-31T12:00:09.120Z',
  durationsMs: { build: 4810, start: 690, check: 240, flip: 12, drain: 310, reload: 940 },
};

const status = {
  name: 'blog',
  version: '0.1.0',
  active: 'green',
  epoch: 12,
  proxy: {
    port: 4321,
    workers: [{ pid: 4700, epoch: 12, inflight: { blue: 0, green: 3 } }],
  },
  slots: {
    blue: {
      port: 4322,
      role: 'standby',
      release: previous,
      healthy: true,
      inflight: 0,
      instances: [instance],
    },
    green: {
      port: 4323,
      role: 'active',
      release,
      healthy: true,
      inflight: 3,
      instances: [{ ...instance, pid: 4712 }],
    },
  },
  promotion: null,
  last,
  watcher: { paths: ['src/content', 'public'], pending: 0, paused: false },
};

export const EXAMPLES = {
  release,
  id,
  status,
  releases: [
    {
      id: release,
      createdAt: '2026-01-31T12:00:00.000Z',
      trigger: 'edit',
      changed: ['src/content/posts/hello.md'],
      commit: null,
      buildMs: 4810,
      sourceHash: '1a2b3c'.padEnd(64, '0'),
      entry: 'server/entry.mjs',
      unsettled: false,
      slots: ['green'],
    },
  ],
  history: [{ ...last, trigger: 'edit', startedAt: '2026-01-31T12:00:02.118Z' }],
  buildLog: 'building the site\ndone in 4.8 s\n',
  traffic: {
    points: [
      { at: '2026-01-31T12:00:00.000Z', requests: 118, errors: 0, p50Ms: 3.1, p99Ms: 21.5 },
      { at: '2026-01-31T12:00:01.000Z', requests: 0, errors: 0, p50Ms: null, p99Ms: null },
    ],
  },
  deployed: { outcome: 'deployed', from: 'a'.repeat(40), to: 'b'.repeat(40), id },
};

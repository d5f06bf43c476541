import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { renderStatus } from '../../../src/cli/status/render.ts';
import type { SlotStatus, Status } from '../../../src/controller/admin/status.ts';
import { releaseIdOf } from '../../support/temp-site.ts';

const MIB = 1024 * 1024;

function slot(changes: Partial<SlotStatus>): SlotStatus {
  const instance = {
    pid: 1,
    status: 'online',
    uptimeMs: 200_000,
    memoryBytes: 50 * MIB,
    restarts: 0,
  };
  return {
    port: 4322,
    role: 'active',
    release: releaseIdOf(2),
    healthy: true,
    inflight: 0,
    instances: [instance, { ...instance, pid: 2, uptimeMs: 9000 }],
    ...changes,
  };
}

function status(changes: Partial<Status> = {}): Status {
  return {
    name: 'blog',
    version: '0.1.0',
    active: 'blue',
    epoch: 7,
    proxy: {
      port: 4321,
      workers: [11, 12].map((pid) => ({ pid, epoch: 7, inflight: { blue: 1, green: 0 } })),
    },
    slots: {
      blue: slot({ inflight: 2 }),
      green: slot({ port: 4323, role: 'standby', release: releaseIdOf(1) }),
    },
    promotion: null,
    last: null,
    watcher: { paths: ['src/content'], pending: 0, paused: false },
    cache: { hits: 0, misses: 0, entries: 0, bytes: 0 },
    ...changes,
  };
}

const render = (changes?: Partial<Status>) =>
  stripVTControlCharacters(renderStatus(status(changes)));

test('renderStatus shows site, address, epoch, workers and both slots, and nothing more when all is quiet', () => {
  expect(render()).toBe(
    [
      'blog  http://localhost:4321  epoch 7 · 2 proxy workers · 2 in flight',
      '',
      `▶ blue   active   ${releaseIdOf(2)}  :4322  healthy  2 open  2 of 2 instances, 100 MiB, up 9.0 s`,
      `  green  standby  ${releaseIdOf(1)}  :4323  healthy  0 open  2 of 2 instances, 100 MiB, up 9.0 s`,
    ].join('\n'),
  );
});

test('renderStatus shows the address that visitors use when they come by HTTPS', () => {
  const proxy = { ...status().proxy, tls: true as const };
  expect(render({ proxy })).toContain('blog  https://localhost:4321  epoch');
});

test('renderStatus has no colour codes when it is not for a terminal', () => {
  expect(process.stdout.isTTY).toBeFalsy();
  expect(renderStatus(status())).toBe(render());
});

test('renderStatus marks no slot while nothing is live yet', () => {
  const empty = slot({ role: 'down', release: null, healthy: false, instances: [] });
  const text = render({ slots: { blue: empty, green: empty } });
  expect(text).not.toContain('▶');
  expect(text.match(/down {2}no release/g)).toHaveLength(2);
  expect(text.match(/not running/g)).toHaveLength(2);
  expect(text).not.toContain('healthy');
});

test('renderStatus says that a slot is not healthy, and how many of its instances are online', () => {
  const sick = slot({ healthy: false });
  sick.instances.push({ pid: 0, status: 'errored', uptimeMs: 0, memoryBytes: 0, restarts: 9 });
  const text = render({ slots: { blue: sick, green: slot({ role: 'standby' }) } });
  expect(text).toMatch(/not healthy .* 2 of 3 instances/);
});

test('renderStatus shows the stages of a running promotion', () => {
  const startedAt = new Date().toISOString();
  const facts = { id: 'p', release: releaseIdOf(3), startedAt, durationsMs: {} };
  const promotion = { ...facts, stage: 'check', trigger: 'edit' } as const;
  expect(render({ promotion })).toContain(
    `${releaseIdOf(3)}: build → start → check → flip → drain → reload  edit, just now`,
  );
  const early = { ...promotion, stage: 'build', release: null, trigger: 'start' } as const;
  expect(render({ promotion: early })).toContain('a new release: build →');
});

test('renderStatus shows how the last promotion ended and how long its stages took', () => {
  const last = {
    id: 'p',
    release: releaseIdOf(2),
    outcome: 'promoted',
    stage: 'reload',
    error: null,
    finishedAt: new Date().toISOString(),
    durationsMs: { build: 4200, flip: 3 },
    trigger: 'edit',
    startedAt: new Date().toISOString(),
  } as const;
  expect(render({ last })).toContain(
    `last: promoted ${releaseIdOf(2)}  just now · build 4.2 s · flip 3 ms`,
  );
  expect(
    render({ last: { ...last, outcome: 'failed', stage: 'build', error: 'exited with code 1' } }),
  ).toContain(`last: failed in build (${releaseIdOf(2)}): exited with code 1  just now`);
  expect(
    render({ last: { ...last, outcome: 'failed', stage: 'build', release: null, error: 'no' } }),
  ).toContain('last: failed in build: no  just now');
});

test('renderStatus says that visitors get a page, who does not, and how that ends', () => {
  const page = { message: null, allow: [], since: new Date().toISOString() };
  const text = render({ maintenance: page });
  expect(text).toContain('visitors get a 503 page: `slots maintenance off` shows the site again');
  const allow = ['203.0.113.7', '10.0.0.0/8'];
  const but = render({ maintenance: { ...page, allow } });
  expect(but).toContain('a 503 page, but for 203.0.113.7, 10.0.0.0/8:');
});

test('renderStatus says that edits are paused, how many wait and what to do', () => {
  const watcher = { paths: [], paused: true, pending: 0 };
  expect(render({ watcher })).toContain('edits are paused: `slots resume` promotes them');
  expect(render({ watcher: { ...watcher, pending: 3 } })).toContain('paused, 3 changes wait:');
});

test('renderStatus says from which slot visitors were moved', () => {
  expect(render({ failedOverFrom: 'green' })).toContain('green died: visitors are on blue');
});

test('renderStatus says how much is kept for open tabs, once there is something', () => {
  expect(render({ skew: { files: 0, bytes: 0 } })).not.toContain('open tabs');
  expect(render({ skew: { files: 12, bytes: 2048 } })).toContain('12 hashed files are kept');
});

test('a host that waits for its certificate is said, with the reason of the CA and what to do', () => {
  const certificate = {
    hosts: ['www.example.com'],
    state: 'waiting' as const,
    issuer: null,
    notBefore: null,
    notAfter: null,
    nextTry: '2026-01-01T00:01:00.000Z',
    isLate: true,
    lastError: 'www.example.com: the CA says: no such host',
    hint: 'correct its DNS entries',
  };
  const text = stripVTControlCharacters(renderStatus(status({ certificates: [certificate] })));
  expect(text).toContain(
    'www.example.com: waiting for a certificate; www.example.com: the CA says: no such host: correct its DNS entries',
  );
  const first = { ...certificate, state: 'ordering' as const, lastError: null, hint: null };
  expect(stripVTControlCharacters(renderStatus(status({ certificates: [first] })))).toContain(
    'www.example.com: waiting for the first certificate, which is being ordered',
  );
  const valid = { ...first, state: 'valid' as const };
  const quiet = stripVTControlCharacters(renderStatus(status({ certificates: [valid] })));
  expect(quiet).not.toContain('www.example.com');
});

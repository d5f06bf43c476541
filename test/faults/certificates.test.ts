import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { callController } from '../../src/cli/client.ts';
import type { CertificateStatus } from '../../src/controller/acme/status.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { lackingCaddyCa, startCaddyCa } from '../support/caddy-ca.ts';
import { freePorts } from '../support/free-ports.ts';
import { skipFor } from '../support/needs.ts';
import { lackingPebble, type Pebble, startPebble } from '../support/pebble.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { startSecureLoad } from '../support/secure-load.ts';
import { until } from '../support/until.ts';
import { pidOf, untilControllerAfter } from './fault-site.ts';
import { recordFault, times } from './table.ts';

const HOST = 'one.example';
const PM2 = fileURLToPath(new URL('../../node_modules/.bin/pm2', import.meta.url));
const PHASES = ['placing', 'proving', 'finalizing', 'collecting'] as const;
const KILLS = times(PHASES.length, 200);
const RENEWALS = times(3, 50);

async function certifiedSite(): Promise<{ site: PlainSite; pebble: Pebble; proxy: number }> {
  const [proxy = 0, redirect = 0] = await freePorts(2);
  const pebble = await startPebble({ httpPort: redirect, tlsPort: proxy, refusedNonces: 50 });
  const acme = { email: 'me@example.com', agreeTos: true as const, hosts: [HOST] };
  const tls = { acme: { ...acme, directory: pebble.directory }, redirectHttp: redirect };
  const site = await plainSite({ config: { ports: { proxy }, proxy: { tls } } });
  site.env.NODE_EXTRA_CA_CERTS = pebble.root;
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  await until(async () => (await certificateOf(site)).state === 'valid', 'the first certificate');
  return { site, pebble, proxy };
}

async function certificateOf(site: PlainSite): Promise<CertificateStatus> {
  const list = await callController<CertificateStatus[]>(
    sitePaths(site.root),
    'GET',
    '/api/certificates',
  );
  return list[0] as CertificateStatus;
}

function renew(site: PlainSite): Promise<{ results: { error: string | null }[] }> {
  return callController(sitePaths(site.root), 'POST', '/api/certificates/renew', { host: HOST });
}

interface OnDisk {
  order: { phase: string } | null;
  ordered: number[];
}

function onDisk(site: PlainSite): OnDisk {
  const text = readFileSync(join(site.root, 'slots/certs/state.json'), 'utf8');
  return JSON.parse(text).hosts[HOST];
}

async function startAgain(site: PlainSite): Promise<void> {
  const args = ['restart', `${site.name}-watcher`, '--silent'];
  // It fails where PM2 has just done so by itself.
  await promisify(execFile)(PM2, args, { env: site.env }).catch(() => null);
}

test(`a controller that is killed ${KILLS} times in the middle of an order goes on with it, or places one more`, async ({
  skip,
}) => {
  skipFor(skip, lackingPebble());
  const { site, pebble } = await certifiedSite();
  const extra: Record<string, number[]> = {};
  const recoveryMs: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const wanted = PHASES[kill % PHASES.length] as string;
    const pid = await pidOf(site, 'watcher');
    const before = { orders: pebble.orders(), done: onDisk(site).ordered.length };
    const isDone = () => onDisk(site).ordered.length > before.done;
    const asked = renew(site).catch(() => null);
    const deadline = performance.now() + 30_000;
    while (onDisk(site).order?.phase !== wanted && !isDone()) {
      if (performance.now() > deadline) throw new Error(`no ${wanted}`);
      await delay(1);
    }
    signalProcess(pid, 'SIGKILL');
    const phase = onDisk(site).order?.phase ?? 'none';
    await asked;
    // PM2 waits longer after each of so many deaths.
    await startAgain(site);
    const killedAt = performance.now();
    await untilControllerAfter(site, pid);
    await until(() => onDisk(site).order === null && isDone(), 'the order to be done', 120_000);
    recoveryMs.push(Math.round(performance.now() - killedAt));
    const more = pebble.orders() - before.orders - 1;
    extra[phase] = [...(extra[phase] ?? []), more];
  }
  const found = Object.entries(extra).map(([phase, orders]) => {
    const sum = orders.reduce((a, b) => a + b, 0);
    return `${phase}: ${orders.length} kills, ${sum} more orders`;
  });
  console.log(found.join('; '));
  const injected = { row: 40, injected: KILLS, requests: 0, failed: 0, editsLost: 0 };
  recordFault({ fault: 'kill -9 the controller in an order', ...injected, recoveryMs });
  for (const orders of Object.values(extra)) expect(Math.max(...orders)).toBeLessThanOrEqual(1);
  // Its URL is known from then on.
  for (const phase of PHASES.slice(1)) expect(extra[phase] ?? []).not.toContain(1);
  expect((await certificateOf(site)).lastError).toBeNull();
  expect(found.length).toBeGreaterThan(1);
});

test(`${RENEWALS} renewals under load fail no handshake and no request`, async ({ skip }) => {
  skipFor(skip, lackingPebble());
  const { site, pebble, proxy } = await certifiedSite();
  const load = startSecureLoad(proxy, HOST);
  const before = pebble.issued();
  for (let renewal = 0; renewal < RENEWALS; renewal++) {
    const { results } = await renew(site);
    expect(results).toMatchObject([{ error: null }]);
  }
  // The workers look at the files every two seconds, twice.
  const taken = () => site.slots('logs', 'proxy', '-n', '1000');
  await until(async () => (await taken()).stdout.includes('a new certificate is in use'), 'one');
  await delay(5000);
  const { handshakes, requests, failed } = await load.stop();
  console.log(`${RENEWALS} renewals, ${handshakes} handshakes, ${requests} requests`, failed);
  recordFault({
    row: 41,
    fault: 'renew the certificate',
    injected: RENEWALS,
    requests,
    failed: Object.values(failed).reduce((sum, count) => sum + count, 0),
    editsLost: 0,
    recoveryMs: [],
  });
  expect(pebble.issued() - before).toBe(RENEWALS);
  expect(failed).toEqual({});
  expect(handshakes).toBeGreaterThan(RENEWALS);
});

for (const [name, redirectHttp] of [
  ['HTTP-01', 80],
  ['TLS-ALPN-01', undefined],
] as const) {
  test(`Caddy's ACME server gives a certificate by ${name}, and renews it`, async ({ skip }) => {
    skipFor(skip, await lackingCaddyCa());
    const ca = await startCaddyCa();
    const acme = { email: 'me@example.com', agreeTos: true as const, hosts: ['localhost'] };
    const tls = {
      acme: { ...acme, directory: ca.directory },
      ...(redirectHttp && { redirectHttp }),
    };
    const site = await plainSite({ config: { ports: { proxy: 443 }, proxy: { tls } } });
    site.env.NODE_EXTRA_CA_CERTS = ca.root;
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    await until(async () => (await certificateOf(site)).state === 'valid', 'the certificate');
    const first = await certificateOf(site);
    expect(first.issuer).toContain('Caddy');
    const renewed = await site.slots('certs', 'renew');
    expect(renewed, renewed.stderr).toMatchObject({ exitCode: 0 });
    const { notBefore, lastError } = await certificateOf(site);
    expect(lastError).toBeNull();
    expect(Date.parse(notBefore ?? '')).toBeGreaterThan(Date.parse(first.notBefore ?? ''));
  });
}

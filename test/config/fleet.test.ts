import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { tempSite } from '../support/temp-site.ts';

async function fleetOf(fleet: unknown) {
  const config = { name: 'my.site', build: 'make', entry: 'server.mjs', fleet };
  const { root } = await tempSite({ 'slots.config.json': JSON.stringify(config) });
  return loadConfig(root).fleet;
}

test('a fleet needs its servers only: the group is the site, and the id the host, without dots', async () => {
  expect(await fleetOf({ servers: ['nats://10.0.0.5:4222'] })).toEqual({
    servers: ['nats://10.0.0.5:4222'],
    group: 'my-site',
    id: hostname().replaceAll(/[^a-zA-Z0-9_-]/g, '-'),
    build: 'any',
    prepareMs: 120_000,
    leaseMs: 3000,
    onPartition: 'serve',
    monotonic: false,
    forgetMs: 86_400_000,
  });
});

test('a site without `fleet` has none', async () => {
  expect(await fleetOf(undefined)).toBeUndefined();
});

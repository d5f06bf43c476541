import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FleetConfig } from '../../src/config/fleet-schema.ts';
import type { UserConfig } from '../../src/config/schema.ts';
import type { FleetReport } from '../../src/controller/fleet/api.ts';
import { type FleetConnection, openConnection } from '../../src/controller/fleet/connection.ts';
import { type NatsServer, natsServer } from './nats.ts';
import { type PlainSite, plainSite } from './plain-site.ts';
import { until } from './until.ts';

/** A machine of a fleet: a site with a PM2 and ports of its own. */
export interface Machine extends PlainSite {
  id: string;
  /** What `slots fleet --json` says there. */
  fleet(): Promise<FleetReport>;
}

type FleetOptions = Partial<NonNullable<UserConfig['fleet']>>;

/** Not started yet. */
export async function machine(
  id: string,
  server: string,
  options: { fleet?: FleetOptions; config?: UserConfig } = {},
): Promise<Machine> {
  const fleet = { servers: [server], group: 'test', id, leaseMs: 2000, ...options.fleet };
  const config = { instances: 1, ...options.config, fleet };
  const site = await plainSite({ config: { ...config, proxy: { workers: 1 } } });
  return {
    ...site,
    id,
    async fleet() {
      const { stdout, stderr, exitCode } = await site.slots('fleet', '--json');
      if (exitCode !== 0) throw new Error(`slots fleet: ${stderr}`);
      return JSON.parse(stdout);
    },
  };
}

/** web1 and web2, started, with a NATS of their own. */
export async function twoMachines(ofWeb2: Parameters<typeof machine>[2] = {}) {
  const nats = await natsServer();
  const web1 = await machine('web1', nats.url);
  const web2 = await machine('web2', nats.url, ofWeb2);
  const both = [web1, web2];
  await startAll(both);
  return { nats, web1, web2, both };
}

/** What a machine of the group would have; for whoever looks into the store, or writes there. To be closed. */
export function connectionTo(nats: NatsServer): Promise<FleetConnection> {
  const config = { servers: [nats.url], group: 'test', id: 'stranger', leaseMs: 2000 };
  return openConnection(config as FleetConfig);
}

/** One after the other: the first one builds, and the others get its release. */
export async function startAll(machines: readonly Machine[]): Promise<void> {
  for (const one of machines) {
    const { exitCode, stderr } = await one.slots('up');
    if (exitCode !== 0) throw new Error(`slots up on ${one.id}: ${stderr}`);
  }
  await allReady(machines);
}

/** Waits until every machine is ready, and all serve one release. */
export async function allReady(machines: readonly Machine[], timeoutMs = 60_000): Promise<string> {
  return until(
    async () => {
      const reports = await Promise.all(machines.map((one) => one.fleet()));
      const own = reports.map(({ id, machines: all }) => all.find((one) => one.id === id));
      const releases = new Set(own.map((one) => (one?.ready ? one.release : null)));
      const [release] = releases;
      return releases.size === 1 && release;
    },
    `${machines.map(({ id }) => id).join(', ')} to be ready with one release`,
    timeoutMs,
  );
}

/** Waits until visitors of every machine get this. */
export async function allServe(
  machines: readonly Machine[],
  body: string,
  timeoutMs = 60_000,
): Promise<void> {
  for (const one of machines) {
    const what = `${one.id} to serve "${body}"`;
    await until(async () => (await one.get()).body === body, what, timeoutMs);
  }
}

/** Waits until every machine has this page among its own files: an edit of an older one would be one of two at once. */
export async function allHold(machines: readonly Machine[], text: string): Promise<void> {
  for (const { id, root } of machines) {
    const file = join(root, 'src/content/page.txt');
    await until(async () => (await readFile(file, 'utf8')) === text, `${id} to have "${text}"`);
  }
}

/** One worker of the front with so many sites, all of them before the same origin; the first one is the address asked for. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { frontSchema } from '../../dist/config/front.js';
import { configSchema } from '../../dist/config/schema.js';
import { startedConfig } from '../../dist/config/started.js';
import { createDoor } from '../../dist/front/door.js';
import { createSites } from '../../dist/front/sites.js';
import { servePublicPort } from '../../dist/proxy/public-port.js';
import { homePaths } from '../../dist/slots/home.js';
import { sitePaths } from '../../dist/slots/paths.js';
import { EMPTY_STATE, writeState } from '../../dist/slots/state.js';

const { PORT, ORIGIN, SITES } = process.env;
const folder = mkdtempSync(join(tmpdir(), 'slots-bench-front-'));
const home = homePaths(folder);
mkdirSync(home.sites, { recursive: true });
for (let n = 0; n < Number(SITES); n++) await register(n);

const config = frontSchema.parse({});
const log = pino({ level: 'error' });
const sites = createSites({ home, config, number: 0, log });
const door = createDoor({ config, ...sites });
await sites.follow();
const at = { name: 'http', port: Number(PORT), host: '127.0.0.1' };
await servePublicPort(door.plain, at, { number: 0, run: home.run, log, onError: fail });

function fail(error) {
  throw error;
}

async function register(n) {
  const name = `site-${n}`;
  const root = join(folder, name);
  mkdirSync(root);
  const slots = { ...EMPTY_STATE.slots };
  for (const slot of ['blue', 'green']) {
    slots[slot] = { ...slots[slot], release: 'r20260131T120000-1a2b3c' };
  }
  await writeState(sitePaths(root), { ...EMPTY_STATE, epoch: 1, active: 'blue', slots });
  const ports = { proxy: 1, blue: Number(ORIGIN), green: Number(ORIGIN) + 1, admin: 2 };
  const started = startedConfig({ ...configSchema.parse({ ports }), name });
  const hosts = n === 0 ? ['127.0.0.1'] : [`${name}.test`, `*.${name}.test`];
  const registration = { root, hosts, since: new Date().toISOString(), config: started };
  writeFileSync(join(home.sites, `${name}.json`), JSON.stringify(registration));
}

process.on('message', () => {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, heapUsed, external });
});

process.once('SIGTERM', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});

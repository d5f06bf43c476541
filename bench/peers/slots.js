/** One worker's data plane, as PM2 would run it: what `npm run build` made, with all that a user has on by default. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { cacheSchema } from '../../dist/config/cache-schema.js';
import { proxySchema } from '../../dist/config/proxy-schema.js';
import { servePublicPort } from '../../dist/proxy/public-port.js';
import { createDataPlane } from '../../dist/proxy/worker.js';

const { PORT, TLS_PORT, ORIGIN, OTHER, PROXY, CACHE, CERT, KEY } = process.env;
const ports = { blue: Number(ORIGIN), green: Number(OTHER ?? ORIGIN) };
let epoch = 0;

const log = pino({ level: 'error' });
const run = mkdtempSync(join(tmpdir(), 'slots-bench-run-'));
process.once('exit', () => rmSync(run, { recursive: true, force: true }));

async function serve(port, options) {
  const plane = createDataPlane(proxySchema.parse(options), ports, {
    cache: cacheSchema.parse(JSON.parse(CACHE ?? '{}')),
  });
  assign(plane, 'blue');
  const at = { name: `proxy${port}`, port, host: '127.0.0.1' };
  await servePublicPort(plane.server, at, { number: 0, run, log, onError: fail });
  return plane;
}

function fail(error) {
  throw error;
}

function assign(plane, active) {
  epoch++;
  const release = 'r20260131T120000-1a2b3c';
  const blue = { port: ports.blue, release, warm: true };
  const green = { port: ports.green, release, warm: true };
  plane.assign({ epoch, revision: epoch, active, slots: { blue, green } });
}

const options = JSON.parse(PROXY);
const plane = await serve(Number(PORT), options);
if (process.env.WITH_TLS)
  await serve(Number(TLS_PORT), { ...options, tls: { cert: CERT, key: KEY } });

process.on('message', (message) => {
  if (message.assign) assign(plane, message.assign);
  if (message.cut) plane.cut(message.cut);
  if (!message.memory) return;
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, heapUsed, external });
});

// So that `node --cpu-prof` writes its profile.
process.once('SIGTERM', () => process.exit(0));

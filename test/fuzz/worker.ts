/** The data plane of a worker in a process of its own, plain and with TLS: what is fuzzed. */
import type { AddressInfo } from 'node:net';
import { cacheSchema } from '../../src/config/cache-schema.ts';
import { proxySchema } from '../../src/config/proxy-schema.ts';
import { createDataPlane } from '../../src/proxy/worker.ts';
import type { Look } from './run.ts';

const { SITE = '', CERT = '', KEY = '' } = process.env;
const ports = { blue: Number(SITE), green: Number(SITE) };
/** Short, so that what hangs ends within a round, and long enough for a machine that does other work. */
const limits = {
  headersTimeoutMs: 4000,
  bodyIdleTimeoutMs: 4000,
  sendTimeoutMs: 4000,
  upstreamIdleTimeoutMs: 4000,
};
const faults: string[] = [];

const planes = [undefined, { cert: CERT, key: KEY }].map((tls) => {
  const config = proxySchema.parse({ limits, upstreamTimeoutMs: 5000, ...(tls && { tls }) });
  const plane = createDataPlane(config, ports, {
    onFault: (error) => faults.push(String(error)),
    // So that every answer that may be kept is.
    cache: cacheSchema.parse({ untilRelease: ['/**'] }),
  });
  const release = 'r20260131T120000-1a2b3c';
  const slots = { blue: { release, warm: true }, green: { release, warm: true } };
  plane.assign({ epoch: 1, revision: 1, active: 'blue', slots });
  return plane;
});

const listening = planes.map(
  ({ server }) =>
    new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    }),
);
const [plain = 0, tls = 0] = await Promise.all(listening);
process.send?.({ plain, tls });

const sum = (counts: { blue: number; green: number }) => counts.blue + counts.green;

process.on('message', (message: { look: boolean; collect: boolean }) => {
  if (message.collect) globalThis.gc?.();
  const kinds: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const look: Look = {
    inflight: planes.reduce((all, { inflight }) => all + sum(inflight.counts), 0),
    places: planes.reduce((all, plane) => all + sum(plane.places()), 0),
    sockets: planes.reduce((all, plane) => all + plane.busySockets().size, 0),
    leaks: message.collect ? planes.flatMap((plane) => plane.audit().map(String)) : [],
    faults: faults.splice(0),
    resources: kinds,
    heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
  };
  process.send?.({ look });
});
process.on('disconnect', () => process.exit(0));

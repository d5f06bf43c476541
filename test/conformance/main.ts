/**
 * `npm run test:conformance [-- <case>]`: how the cache does in the public suite for HTTP caches, as a reverse proxy with its
 * defaults. Exits with 1 when another case fails than those of docs/caching.md.
 */
import type { AddressInfo } from 'node:net';
import { cacheSchema } from '../../src/config/cache-schema.ts';
import { proxySchema } from '../../src/config/proxy-schema.ts';
import { createDataPlane } from '../../src/proxy/worker.ts';
import { freePorts } from '../support/free-ports.ts';
import { DEVIATIONS } from './deviations.ts';
import { type Case, installSuite, listCases, type Result, runCases, startServer } from './suite.ts';

await installSuite();
const [slot, spare] = (await freePorts(2)) as [number, number];
const stopServer = await startServer(slot);
const [only] = process.argv.slice(2);
const results = await startProxy(slot, spare)
  .then((origin) => runCases(origin, only))
  .finally(stopServer);
process.exit(only === undefined ? report(await listCases(), results) : 0);

async function startProxy(blue: number, green: number) {
  const plane = createDataPlane(
    proxySchema.parse({}),
    { blue, green },
    {
      cache: cacheSchema.parse({}),
    },
  );
  const target = { release: 'r1', warm: false };
  plane.assign({ epoch: 1, revision: 1, active: 'blue', slots: { blue: target, green: target } });
  await new Promise<void>((resolve) => plane.server.listen(0, 'localhost', resolve));
  const { port } = plane.server.address() as AddressInfo;
  return `http://localhost:${port}`;
}

/** @returns the exit code */
function report(cases: readonly Case[], results: Record<string, Result>): number {
  const passed = ({ id }: Case) => results[id] === true;
  for (const kind of ['required', 'optimal', 'check'] as const) {
    const all = cases.filter((one) => one.kind === kind);
    console.log(`${kind}: ${all.filter(passed).length} of ${all.length}`);
  }
  const failed = cases.filter((one) => one.kind === 'required' && !passed(one));
  for (const one of failed) {
    const [kind, message] = results[one.id] as [string, string];
    const because = one.dependsOn.filter((id) => results[id] !== true);
    const why = because.length > 0 ? `depends on ${because.join(', ')}` : `${kind}: ${message}`;
    console.log(
      `\n${one.id}${one.id in DEVIATIONS ? ' (on purpose)' : ''}\n  ${one.name}\n  ${why}`,
    );
  }
  const news = failed.filter(({ id }) => !(id in DEVIATIONS));
  const mended = Object.keys(DEVIATIONS).filter((id) => results[id] === true);
  if (news.length > 0)
    console.error(`\nnot in docs/caching.md: ${news.map(({ id }) => id).join(', ')}`);
  if (mended.length > 0) console.error(`\npass now, against docs/caching.md: ${mended.join(', ')}`);
  return news.length + mended.length === 0 ? 0 : 1;
}

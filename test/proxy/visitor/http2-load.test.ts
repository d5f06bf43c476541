import { expect, test } from 'vitest';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { type Http2Answer, http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const CONNECTIONS = 10;
const STREAMS = 20;
const EACH = 10;

test('not one of 2000 requests over HTTP/2 fails, on many streams at once and through flips', async () => {
  const seen = { blue: 0, green: 0 };
  const site = (slot: 'blue' | 'green') =>
    startOrigin((_request, response) => {
      seen[slot]++;
      response.end(slot.padEnd(2048));
    });
  const [blue, green] = await Promise.all([site('blue'), site('green')]);
  const tls = await makeCertificate();
  const { port, plane, assign } = await startPlane({
    blue: blue.port,
    green: green.port,
    proxy: { tls },
  });
  const running = load(port);
  const total = () => seen.blue + seen.green;
  for (const [at, active] of [
    [400, 'green'],
    [900, 'blue'],
    [1400, 'green'],
  ] as const) {
    await until(() => total() >= at, `${at} requests`);
    assign({ active });
  }
  const answers = await running;
  expect(answers).toHaveLength(CONNECTIONS * STREAMS * EACH);
  const bad = answers.filter(
    ({ status, resetBy, body }) => status !== 200 || resetBy !== 0 || body.length !== 2048,
  );
  expect(bad).toEqual([]);
  expect(Math.min(seen.blue, seen.green)).toBeGreaterThan(100);
  expect(plane.inflight.counts).toEqual({ blue: 0, green: 0 });
});

/** Asks on each stream of each connection, again as soon as it is answered. */
async function load(port: number): Promise<Http2Answer[]> {
  const answers: Http2Answer[] = [];
  const connections = Array.from({ length: CONNECTIONS }, async () => {
    const session = await http2Session(port);
    const streams = Array.from({ length: STREAMS }, async () => {
      for (let asked = 0; asked < EACH; asked++) answers.push(await http2Get(session, '/'));
    });
    await Promise.all(streams);
  });
  await Promise.all(connections);
  return answers;
}

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

test('h2load: not one of 2000 requests fails, through flips', async () => {
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
  const args = ['-n', '2000', '-c', '10', '-m', '20', `https://127.0.0.1:${port}/`];
  const running = promisify(execFile)('h2load', args);
  const total = () => seen.blue + seen.green;
  for (const [at, active] of [
    [400, 'green'],
    [900, 'blue'],
    [1400, 'green'],
  ] as const) {
    await until(() => total() >= at, `${at} requests`);
    assign({ active });
  }
  const { stdout } = await running;
  expect(stdout).toContain(
    '2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored',
  );
  expect(stdout).toContain('status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx');
  expect(Math.min(seen.blue, seen.green)).toBeGreaterThan(100);
  expect(plane.inflight.counts).toEqual({ blue: 0, green: 0 });
});

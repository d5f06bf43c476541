import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range that Linux takes outgoing connections' ports from, so that no client of a test gets one; and a
 * part of it for each of vitest's workers, since a port that is given but not yet listened on looks free to all.
 */
const PORTS_PER_WORKER = 4000;
const LOWEST = 15_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 4) * PORTS_PER_WORKER;
const HIGHEST = LOWEST + PORTS_PER_WORKER;

const given = new Set<number>();

/** Different TCP ports of 127.0.0.1 that nobody listens on, each given out once only. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(LOWEST, HIGHEST);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}

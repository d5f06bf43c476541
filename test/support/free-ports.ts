import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that Linux takes outgoing connections' ports from, so that no client of a test gets one. */
const LOWEST = 15_000;
const HIGHEST = 32_000;

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

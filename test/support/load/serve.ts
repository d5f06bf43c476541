import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type LoadOptions, type LoadResult, startLoad } from '../load.ts';
import { until } from '../until.ts';

/** Listens until the test has finished. */
export async function serve(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Loads a server that answers so, until some requests have begun. */
export async function load(
  answer: RequestListener,
  options: LoadOptions,
  count = 5,
): Promise<LoadResult> {
  return loadOrigin(await serve(createServer(answer)), options, count);
}

export async function loadOrigin(
  origin: string,
  options: LoadOptions,
  count = 5,
): Promise<LoadResult> {
  const running = startLoad(origin, { hungMs: 200, pauseMs: 1, ...options });
  await until(() => running.requests() >= count, `${count} requests`);
  return running.stop();
}

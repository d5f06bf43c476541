import { Agent } from 'node:http';
import { type LoadContext, pause, pick } from './context.ts';
import { exchange } from './exchange.ts';
import type { Kind } from './ledger.ts';

/** A visitor with one connection, used again for as long as the server keeps it. */
export async function keepAliveClient(
  load: LoadContext,
  paths: readonly string[],
  pauseMs: number,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!load.stopping.aborted) {
    await get(load, 'keep-alive', pick(paths), agent);
    await pause(load, pauseMs);
  }
  agent.destroy();
}

/** A visitor with a new connection for each request. */
export async function freshClient(
  load: LoadContext,
  paths: readonly string[],
  pauseMs: number,
): Promise<void> {
  while (!load.stopping.aborted) {
    await get(load, 'fresh', pick(paths), false);
    await pause(load, pauseMs);
  }
}

/** So many visitors a second, each with one request on a new connection, however long those before them take. */
export async function freshVisitors(
  load: LoadContext,
  paths: readonly string[],
  perSecond: number,
): Promise<void> {
  const begunAt = performance.now();
  const visits = new Set<Promise<void>>();
  for (let count = 0; !load.stopping.aborted; ) {
    for (; count < ((performance.now() - begunAt) * perSecond) / 1000; count++) {
      const visit = get(load, 'fresh', pick(paths), false);
      visits.add(visit);
      void visit.then(() => visits.delete(visit));
    }
    await pause(load, 1000 / perSecond);
  }
  await Promise.all(visits);
}

/** A visitor whose answers take their time, on one connection. */
export async function slowClient(load: LoadContext, path: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  while (!load.stopping.aborted) await get(load, 'slow', path, agent);
  agent.destroy();
}

async function get(
  load: LoadContext,
  kind: Kind,
  path: string,
  agent: Agent | false,
): Promise<void> {
  await load.ledger.book(kind, `GET ${path}`, async () => {
    const answer = await exchange(load, { path, agent });
    const complaint = kind === 'slow' ? null : load.complain(path, answer);
    if (complaint !== null) throw new Error(complaint);
  });
}

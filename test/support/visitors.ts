import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Site } from './site.ts';

const PATHS = ['/', '/posts/mulch', '/', '/about'];

/** A gentle stream of visitors that swells and ebbs, for pictures; `load.ts` is the one that measures. */
export function startVisitors(site: Site): { failed(): number; stop(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  let stopped = false;
  let failed = 0;
  const visit = (path: string) => {
    const outgoing = get(site.origin + path, { agent }, (response) => {
      if ((response.statusCode ?? 500) >= 500) failed++;
      response.resume();
    });
    outgoing.on('error', () => {
      if (!stopped) failed++;
    });
  };
  const run = async () => {
    for (let count = 0; !stopped; count++) {
      visit(PATHS[count % PATHS.length] as string);
      const seconds = performance.now() / 1000;
      const perSecond = 16 + 7 * Math.sin(seconds / 9) + 4 * Math.sin(seconds / 2.3);
      await delay(1000 / perSecond);
    }
  };
  void run();
  return {
    failed: () => failed,
    stop() {
      stopped = true;
      agent.destroy();
    },
  };
}

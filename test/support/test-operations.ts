import type { Operations } from '../../src/controller/admin/api.ts';
import { EXAMPLES } from '../../src/controller/admin/examples.ts';
import type { Status } from '../../src/controller/admin/status.ts';

/** Operations that say which was called with what, and answer as the documentation's examples do. */
export function testOperations(over: Partial<Operations> = {}) {
  const called: unknown[][] = [];
  const call =
    <T>(name: string, answer: T) =>
    async (...args: unknown[]): Promise<T> => {
      called.push([name, ...args]);
      return answer;
    };
  const operations: Operations = {
    status: call('status', EXAMPLES.status as Status),
    promote: call('promote', { id: EXAMPLES.id }),
    rollback: call('rollback', { id: EXAMPLES.id }),
    pause: call('pause', undefined),
    resume: call('resume', undefined),
    releases: call('releases', EXAMPLES.releases as never),
    history: call('history', EXAMPLES.history as never),
    buildLog: call('buildLog', '/nowhere/build.log'),
    traffic: () => EXAMPLES.traffic.points,
    follow: () => {},
    ...over,
  };
  return { operations, called };
}

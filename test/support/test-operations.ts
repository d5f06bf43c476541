import type { Operations } from '../../src/controller/admin/api.ts';
import { ROUTES } from '../../src/controller/admin/routes/index.ts';

/** The documentation's example of a call's answer. */
export function exampleOf(url: string): never {
  const route = ROUTES.find((one) => one.url === url);
  return route?.config.example.answer as never;
}

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
    status: call('status', exampleOf('/api/status')),
    promote: call('promote', exampleOf('/api/promote')),
    restart: call('restart', exampleOf('/api/restart')),
    rollback: call('rollback', exampleOf('/api/rollback')),
    purge: call('purge', exampleOf('/api/purge')),
    certificates: call('certificates', exampleOf('/api/certificates')),
    renewCertificates: call('renewCertificates', exampleOf('/api/certificates/renew')),
    pause: call('pause', undefined),
    resume: call('resume', undefined),
    maintenance: call('maintenance', undefined),
    fleet: () => exampleOf('/api/fleet'),
    releases: call('releases', exampleOf('/api/releases')),
    history: call('history', exampleOf('/api/history')),
    buildLog: call('buildLog', '/nowhere/build.log'),
    traffic: () => (exampleOf('/api/traffic') as { points: never[] }).points,
    follow: () => {},
    ...over,
  };
  return { operations, called };
}

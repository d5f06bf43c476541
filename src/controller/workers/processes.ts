import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import type { Pm2 } from '../../pm2.ts';
import type { WorkerProcesses } from './fleet.ts';

/** The proxy's processes as PM2 knows them. */
export function proxyProcesses(pm2: Pm2, config: Config): WorkerProcesses {
  const app = appName(config, 'proxy');
  return {
    online: async () => (await pm2.instances(app)).filter(({ status }) => status === 'online'),
  };
}

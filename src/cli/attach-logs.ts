import { appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import type { Pm2 } from '../pm2.ts';
import { formatLine, LOG_ROLES } from './terminal/log-line.ts';

/** Prints what the site's apps write from now on, each line with its app's name before it. */
export async function attachLogs(pm2: Pm2, config: Config): Promise<void> {
  const roleOf = new Map(LOG_ROLES.map((role) => [appName(config, role), role]));
  await pm2.onOutput(({ app, text }) => {
    const role = roleOf.get(app);
    if (!role) return;
    for (const line of text.split('\n')) if (line !== '') console.log(formatLine(role, line));
  });
}

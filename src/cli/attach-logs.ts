import pretty from 'pino-pretty';
import { type AppRole, appName } from '../config/ecosystem.ts';
import type { Config } from '../config/schema.ts';
import type { Pm2 } from '../pm2.ts';
import { style } from './style.ts';

const STYLES = { proxy: 'magenta', watcher: 'yellow', blue: 'blue', green: 'green' } as const;

export const LOG_ROLES = Object.keys(STYLES) as AppRole[];

/** Prints what the site's apps write from now on, each line with its app's name before it. */
export async function attachLogs(pm2: Pm2, config: Config): Promise<void> {
  const roleOf = new Map(LOG_ROLES.map((role) => [appName(config, role), role]));
  await pm2.onOutput(({ app, text }) => {
    const role = roleOf.get(app);
    if (!role) return;
    for (const line of text.split('\n')) if (line !== '') console.log(formatLine(role, line));
  });
}

const prettify = pretty.prettyFactory({
  colorize: process.stdout.isTTY && !process.env.NO_COLOR,
  singleLine: true,
  hideObject: true,
  ignore: 'pid,name,hostname',
  translateTime: 'SYS:HH:MM:ss',
});

/** Our own lines are JSON and get readable; the site's are passed on as they are. */
export function formatLine(role: AppRole, line: string): string {
  const text = line.startsWith('{"level"') ? prettify(line).trimEnd() : line;
  return `${style(STYLES[role], role.padEnd(7))} ${text}`;
}

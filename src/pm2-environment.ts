/** The environment for the PM2 daemon: it and all its apps keep that for good. */
import { readFileSync } from 'node:fs';

/**
 * PM2 hands its starter's whole environment to the daemon and to every app, for good. What npm and test
 * runners put there is about them and not about the site.
 */
export function forgetStarterEnvironment(): void {
  const foreign =
    /^(npm_|INIT_CWD$|VITEST|VITE_|TEST$|NODE_CHANNEL|NODE_OPTIONS$|NODE_V8_COVERAGE$)/;
  for (const key of Object.keys(process.env)) if (foreign.test(key)) delete process.env[key];
}

/** Variables by which PM2 tells a process about itself, among the user's own. */
const PM2_VARIABLE =
  /^(pm_|pm2_|axm_|pmx$|PM2_(?!HOME$)|NODE_APP_INSTANCE$|SLOTS_|unique_id$|(namespace|kill_retry_time|windowsHide|username|treekill|automation|pmx|instance_var|autorestart|autostart|merge_logs|vizion|vizion_running|env|exec_interpreter|exec_mode|exp_backoff_restart_delay|filter_env|kill_timeout|km_link|max_restarts|name|node_args|node_version|restart_time|status|unstable_restarts|version|versioning|watch|instances|created_at|cwd|args|time|prev_restart_delay|exit_code|listen_timeout|stop_exit_codes|_pm2_version)$)/;

export function isPm2Variable(name: string): boolean {
  return PM2_VARIABLE.test(name);
}

/**
 * An app that is started by a process under PM2 would get that one's variables: its id, its number, its site's root. Those
 * of PM2's client (`PM2_…`) stay, since it reads them while it works.
 */
export async function withoutPm2Variables(start: () => Promise<void>): Promise<void> {
  const own = Object.entries(process.env).filter(
    ([name]) => isPm2Variable(name) && !name.startsWith('PM2_'),
  );
  for (const [name] of own) delete process.env[name];
  try {
    await start();
  } finally {
    Object.assign(process.env, Object.fromEntries(own));
  }
}

/**
 * What the daemon was started with, read while it lives: the one that comes after it gets that too. Where there is no
 * /proc, this process's environment without what PM2 has put there.
 */
export function daemonEnvironment(daemon: number): NodeJS.ProcessEnv {
  const home = process.env.PM2_HOME;
  const own = home === undefined ? {} : { PM2_HOME: home };
  return { ...(environmentOf(daemon) ?? withoutPm2(process.env)), ...own };
}

function environmentOf(pid: number): NodeJS.ProcessEnv | null {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
    const entries = pairs.map((pair): [string, string] => {
      const end = pair.indexOf('=');
      return [pair.slice(0, end), pair.slice(end + 1)];
    });
    return Object.fromEntries(entries.filter(([name]) => !name.startsWith('NODE_CHANNEL')));
  } catch {
    return null;
  }
}

function withoutPm2(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !isPm2Variable(name) && !name.startsWith('NODE_'),
  );
  return Object.fromEntries(kept);
}

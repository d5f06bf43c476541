/** Variables by which PM2 tells a process about itself, among the user's own. */
const PM2_KEYS =
  /^(pm_|pm2_|axm_|pmx$|PM2_(?!HOME$)|NODE_APP_INSTANCE$|SLOTS_|unique_id$|(namespace|kill_retry_time|windowsHide|username|treekill|automation|pmx|instance_var|autorestart|autostart|merge_logs|vizion|vizion_running|env|exec_interpreter|exec_mode|exp_backoff_restart_delay|filter_env|kill_timeout|km_link|max_restarts|name|node_args|node_version|restart_time|status|unstable_restarts|version|versioning|watch|instances|created_at|cwd|args|time|prev_restart_delay|exit_code|listen_timeout|stop_exit_codes|_pm2_version)$)/;

/** The environment for a command of the site: the controller's without PM2's own, then `env`. */
export function siteEnvironment(
  own: NodeJS.ProcessEnv,
  configured: Record<string, string>,
): Record<string, string> {
  const kept = Object.entries(own).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !PM2_KEYS.test(entry[0]),
  );
  return { ...Object.fromEntries(kept), ...configured };
}

/** The build's environment: the site's, and where to build into. */
export function buildEnvironment(
  own: NodeJS.ProcessEnv,
  configured: Record<string, string>,
  outDir: string,
): Record<string, string> {
  return { ...siteEnvironment(own, configured), SLOTS_OUT_DIR: outDir };
}

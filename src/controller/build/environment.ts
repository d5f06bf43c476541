import { isPm2Variable } from '../../pm2-environment.ts';

/** The environment for a command of the site: the controller's without PM2's own, then `env`. */
export function siteEnvironment(
  own: NodeJS.ProcessEnv,
  configured: Record<string, string>,
): Record<string, string> {
  const kept = Object.entries(own).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !isPm2Variable(entry[0]),
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

/** The environment for the PM2 daemon: it and all its apps keep that for good. */
import { existsSync } from 'node:fs';

/** PM2 starts a daemon, if it has to, with these arguments for Node. */
export async function withDaemonPreload(start: () => Promise<unknown>): Promise<void> {
  const preload = new URL('./daemon-preload.js', import.meta.url);
  const before = process.env.PM2_NODE_OPTIONS;
  // Where Node runs the source itself there is no such file. As a URL it has no space, which PM2 splits at.
  if (existsSync(preload))
    process.env.PM2_NODE_OPTIONS = `${before ?? ''} --import=${preload}`.trim();
  try {
    await start();
  } finally {
    if (before === undefined) delete process.env.PM2_NODE_OPTIONS;
    else process.env.PM2_NODE_OPTIONS = before;
  }
}

/**
 * PM2 hands its starter's whole environment to the daemon and to every app, for good. What npm and test
 * runners put there is about them and not about the site.
 */
export function forgetStarterEnvironment(): void {
  const foreign =
    /^(npm_|INIT_CWD$|VITEST|VITE_|TEST$|NODE_CHANNEL|NODE_OPTIONS$|NODE_V8_COVERAGE$)/;
  for (const key of Object.keys(process.env)) if (foreign.test(key)) delete process.env[key];
}

import type { UserConfig } from '../../src/config/schema.ts';
import { buildRelease } from '../../src/controller/build/build.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import type { Release } from '../../src/slots/release.ts';
import { testConfig } from './test-config.ts';

export interface RunningBuild {
  release: Promise<Release>;
  /** Every line of output so far. */
  lines: string[];
  cancel(): void;
}

/** Starts a real build of the site with this build command. */
export function startBuild(
  paths: SitePaths,
  build: string | string[],
  more: UserConfig & { onNamed?: (id: string) => Promise<void> } = {},
): RunningBuild {
  const { onNamed, ...user } = more;
  const cancellation = new AbortController();
  const lines: string[] = [];
  const release = buildRelease(testConfig({ ...user, build }), paths, {
    trigger: 'edit',
    changed: ['src/content/a.md'],
    signal: cancellation.signal,
    onNamed: onNamed ?? (() => {}),
    onLine: (line) => lines.push(line),
  });
  release.catch(() => {});
  return { release, lines, cancel: () => cancellation.abort() };
}

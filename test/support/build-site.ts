import type { UserConfig } from '../../src/config/schema.ts';
import { buildRelease } from '../../src/controller/build/build.ts';
import { openSource } from '../../src/controller/source/build-source.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import type { Release } from '../../src/slots/release.ts';
import { testConfig } from './test-config.ts';

export interface RunningBuild {
  release: Promise<Release>;
  /** Every line of output so far. */
  lines: string[];
  /** What slots itself has said of the release. */
  notices: string[];
  cancel(): void;
}

/** Starts a real build of the site with this build command. */
export function startBuild(
  paths: SitePaths,
  build: string | string[] | false,
  more: UserConfig & { lockFile?: string; onNamed?: (id: string) => Promise<void> } = {},
): RunningBuild {
  const { onNamed, lockFile, ...user } = more;
  const cancellation = new AbortController();
  const lines: string[] = [];
  const notices: string[] = [];
  const config = { ...testConfig({ ...user, build }), lockFile };
  const release = openSource(config, paths).then((source) =>
    buildRelease(config, paths, {
      trigger: 'edit',
      changed: ['src/content/a.md'],
      signal: cancellation.signal,
      source,
      onNamed: onNamed ?? (() => {}),
      onLine: (line) => lines.push(line),
      onNotice: (text) => notices.push(text),
    }),
  );
  release.catch(() => {});
  return { release, lines, notices, cancel: () => cancellation.abort() };
}

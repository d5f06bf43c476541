import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { releaseDir, type SitePaths } from './paths.ts';
import { listPartials, listReleases, partialDir, readRelease } from './release.ts';

/** The running build's log, else the newer of the last failed and the last good one's; `null` without any. */
export async function newestBuildLog(paths: SitePaths): Promise<string | null> {
  const [partial] = await listPartials(paths);
  if (partial) return join(partialDir(paths, partial), 'build.log');
  const [release] = await listReleases(paths);
  const candidates = [
    paths.failedBuildLog,
    ...(release ? [join(releaseDir(paths, release.id), 'build.log')] : []),
  ];
  const times = await Promise.all(
    candidates.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => ({ path, mtimeMs }),
        () => null,
      ),
    ),
  );
  const found = times.filter((time) => time !== null).sort((a, b) => b.mtimeMs - a.mtimeMs);
  return found[0]?.path ?? null;
}

/** @throws SlotsError `RELEASE_UNKNOWN` for what is no release's id, or that of none that is kept or being built */
export async function releaseBuildLog(paths: SitePaths, id: string): Promise<string> {
  if ((await listPartials(paths)).includes(id)) return join(partialDir(paths, id), 'build.log');
  const release = await readRelease(paths, id);
  return join(releaseDir(paths, release.id), 'build.log');
}

import type { Config } from '../config/schema.ts';
import { buildRelease } from '../controller/build/build.ts';
import { controllerPid } from '../controller/control-socket.ts';
import { openSource } from '../controller/source/build-source.ts';
import { duration } from '../duration.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { createProgress } from './terminal/progress.ts';

/**
 * `slots build`: a release that is kept and not promoted, for an image. Where a controller runs, it is the
 * one that builds, so a second build in the same folders is refused.
 */
export async function build(config: Config, paths: SitePaths): Promise<void> {
  const pid = await controllerPid(paths.controlSocket);
  if (pid !== null) {
    throw new SlotsError(
      'CONTROLLER_RUNS',
      `this site's controller runs, with pid ${pid}, and builds`,
      {
        hint: '`slots promote` builds and promotes; `slots pause` first keeps edits from being promoted',
      },
    );
  }
  const progress = createProgress();
  const canceled = new AbortController();
  process.once('SIGINT', () => canceled.abort());
  try {
    const release = await buildRelease(config, paths, {
      trigger: 'build',
      changed: [],
      signal: canceled.signal,
      source: await openSource(config, paths),
      onNamed: (id) => progress.say(`build ${id}`),
      onNotice: (text) => progress.say(text),
      onLine: (line) => progress.show({ type: 'build-line', line }),
    });
    progress.end();
    console.log(`${release.id} is built, after ${duration(release.buildMs)}`);
  } finally {
    progress.end();
  }
}

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { partialDepsDir } from '../../slots/deps.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { deletePartial, listPartials, partialDir } from '../../slots/release.ts';
import type { Logger } from '../log.ts';

/** Temporary files of state.json and of a slot's symlink, left by a killed controller. */
const TEMPORARY = /^((state\.json|history\.jsonl)\.\d+|\.(blue|green)-[0-9a-f-]{36})$/;

/**
 * Ends the builds of a controller that was killed and removes what they left, and its temporary files. A build knows its output
 * folder by `SLOTS_OUT_DIR`, which all its children inherit; pids would not tell, since they are reused.
 */
export async function clearOrphans(paths: SitePaths, log: Logger): Promise<void> {
  for (const id of await listPartials(paths)) {
    const pids = await endBuildProcesses(partialDir(paths, id));
    await deletePartial(paths, id);
    log.info({ event: 'build.orphan', release: id, pids }, `removed what there was of ${id}`);
  }
  const names = await readdir(paths.slots).catch(() => []);
  for (const name of names.filter((each) => TEMPORARY.test(each))) {
    await rm(join(paths.slots, name), { force: true });
  }
  await rm(partialDepsDir(paths), { recursive: true, force: true });
}

/** Ends every process of the build in this folder at once, and says which there were. */
export async function endBuildProcesses(dir: string): Promise<number[]> {
  const pids = await processesBuildingInto(dir);
  for (const pid of pids) kill(pid);
  return pids;
}

/** Linux only: elsewhere there is no /proc, and an orphaned build runs to its end in a removed folder. */
async function processesBuildingInto(dir: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const ours = await Promise.all(
    pids.map(async (pid) => {
      const environ = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environ.split('\0').some((pair) => pair.startsWith(`SLOTS_OUT_DIR=${dir}/`));
    }),
  );
  return pids.filter((pid, index) => ours[index] && pid !== process.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

import type { Instance } from '../../pm2.ts';
import { memoryOf } from '../../pm2-daemon.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { type Owner, runSocketOwners } from '../../slots/run-socket.ts';
import type { Slot } from '../../slots/slot.ts';

/** What a daemon that died has left behind, for a status that nobody else can give. */
export async function orphans({ run }: SitePaths): Promise<{
  workers: number[];
  instancesOf(slot: Slot): Instance[];
}> {
  const found = (await runSocketOwners(run)).filter(({ isOrphan }) => isOrphan);
  return {
    workers: pidsOf(found, /^proxy$/),
    instancesOf: (slot) => pidsOf(found, new RegExp(`^(tcp)?${slot}$`)).map(toInstance),
  };
}

function pidsOf(owners: Owner[], role: RegExp): number[] {
  return [...new Set(owners.filter((owner) => role.test(owner.role)).map(({ pid }) => pid))];
}

/** PM2 alone knew the rest. */
function toInstance(pid: number): Instance {
  return {
    pid,
    pmId: -1,
    status: 'orphaned',
    uptimeMs: 0,
    memoryBytes: memoryOf(pid) ?? 0,
    restarts: 0,
    exitCode: null,
    outLog: '',
    errorLog: '',
    nodeVersion: null,
    isModule: false,
    script: null,
    root: null,
    started: null,
    definition: null,
  };
}

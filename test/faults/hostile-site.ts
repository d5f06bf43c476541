import { execFile } from 'node:child_process';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { Status } from '../../src/controller/admin/status.ts';
import { otherSlot } from '../../src/slots/slot.ts';
import { type LoadResult, startLoad } from '../support/load.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import type { SiteOptions } from '../support/site.ts';
import { until } from '../support/until.ts';
import { pageOf } from './fault-site.ts';
import { recordFault } from './table.ts';

const run = promisify(execFile);

/** Builds by src/content/build.sh where there is one, so that an edit decides what the next build does. */
const BUILD =
  'if [ -e src/content/build.sh ]; then sh src/content/build.sh {outDir}; else node build.mjs {outDir}; fi';

/** What the plain site's build does, for scripts that do something else besides. */
export const GOOD_BUILD = 'node build.mjs "$1"';

const FAILURE_TIMEOUT_MS = 60_000;

export interface HostileSite {
  site: PlainSite;
  /** `null` where `slots/` is not on a small disk of its own: why not. */
  noDisk: string | null;
  /** What the site's `slots/` takes on its disk, in bytes. */
  diskBytes(): Promise<number>;
  dispose(): Promise<void>;
}

/** A plain site that is up with a warm standby, whose slots/ lies on a disk of this size if root may mount one. */
export async function hostileSite(
  options: SiteOptions & { diskMebibytes?: number } = {},
): Promise<HostileSite> {
  const { diskMebibytes, ...rest } = options;
  const site = await plainSite({
    ...rest,
    config: { build: BUILD, ...rest.config },
    cleanup: 'caller',
  });
  const slots = join(site.root, 'slots');
  await mkdir(slots);
  const noDisk = diskMebibytes ? await mountDisk(slots, diskMebibytes) : 'none was asked for';
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  await site.edit('page.txt', pageOf(1));
  await until(async () => (await site.get()).body === pageOf(1), 'the second release', 30_000);
  await site.settled(60_000);
  return {
    site,
    noDisk,
    async diskBytes() {
      const { stdout } = await run('du', ['--bytes', '--summarize', slots]);
      return Number.parseInt(stdout, 10);
    },
    async dispose() {
      await site.slots('down');
      if (noDisk === null) await run('umount', ['--lazy', slots]);
      await site.dispose();
    },
  };
}

async function mountDisk(folder: string, mebibytes: number): Promise<string | null> {
  const args = ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder];
  return run('mount', args).then(
    () => null,
    (error: Error) => `a disk cannot be mounted here: ${error.message}`,
  );
}

export interface Expected {
  row: number;
  fault: string;
  /** The stage that fails. */
  stage: string | RegExp;
  /** Failures that physics demands; none without it. */
  allowed?: number;
  /** The reason in `status`, which is one line. */
  error: RegExp;
}

/**
 * Injects a fault by an edit, under load, and checks what must hold after any promotion that fails: visitors have
 * seen nothing of it, the standby is warm, nothing is left half done, and `status` says why in one line.
 */
export async function expectHarmlessFailure(
  site: PlainSite,
  expected: Expected,
  inject: () => Promise<void>,
): Promise<{ after: Status; result: LoadResult }> {
  const before = await site.settled(60_000);
  const standby = otherSlot(before.active);
  const { body } = await site.get();
  const load = startLoad(site.origin, {
    keepAlive: 3,
    fresh: 2,
    pauseMs: 30,
    complain: (_path, answer) => (answer.body === body ? null : `answered ${answer.body}`),
  });
  const started = performance.now();
  await inject();
  await until(
    async () => {
      const { last } = await site.status();
      return last?.outcome === 'failed' && last.id !== before.last?.id;
    },
    `${expected.fault}: the promotion to fail`,
    FAILURE_TIMEOUT_MS,
  );
  await until(
    async () => {
      const { slots, promotion } = await site.status();
      return promotion === null && slots[standby].role === 'standby' && slots[standby].healthy;
    },
    `${expected.fault}: the standby to be warm again`,
    FAILURE_TIMEOUT_MS,
  );
  const recoveryMs = [performance.now() - started];
  const result = await load.stop();
  const { row, fault, allowed = 0 } = expected;
  const { requests, failed } = result;
  recordFault({ row, fault, injected: 1, requests, failed, allowed, editsLost: 0, recoveryMs });

  const after = await site.status();
  expect(failed, result.failures.join('\n')).toBeLessThanOrEqual(allowed);
  expect(after.last?.stage).toMatch(expected.stage);
  expect(after.last?.error).toMatch(expected.error);
  expect(after.last?.error).not.toMatch(/[\r\n]/);
  const told = (await site.slots('status')).stdout;
  expect(told).toContain(after.last?.error);
  expect(after.active).toBe(before.active);
  expect(after.slots[standby].release).toBe(before.slots[standby].release);
  expect(await partials(site)).toEqual([]);
  return { after, result };
}

/** The next good edit is live, whatever was before: nothing is stuck. */
export async function expectGoodEdit(site: PlainSite, edit: number): Promise<void> {
  await site.edit('page.txt', pageOf(edit));
  await rm(join(site.root, 'src/content/build.sh'), { force: true });
  await site.behave({});
  await until(
    async () => (await site.get()).body === pageOf(edit),
    `edit ${edit} to be live`,
    FAILURE_TIMEOUT_MS,
  );
  await site.settled(60_000);
}

async function partials(site: PlainSite): Promise<string[]> {
  const names = await readdir(join(site.root, 'slots/releases'));
  return names.filter((name) => name.endsWith('.partial'));
}

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** What a release depends on that is not in its archive. */
export const needsSchema = z.object({
  /** Node's major version: packages are installed for one. */
  node: z.int(),
  platform: z.string(),
  arch: z.string(),
  /** Native packages are built for one of them. `null` where the platform has no choice. */
  libc: z.enum(['glibc', 'musl']).nullable(),
  /** SHA-256 of the lock file, in hex: packages stay in the site's node_modules. `null` where there is no lock file. */
  lockFile: z.string().nullable(),
});

/** The same of a machine: what it has. */
export type Machine = z.output<typeof needsSchema>;

/** @param lockFile the site's, absolute; `null` where it has none */
export async function thisMachine(lockFile: string | null): Promise<Machine> {
  const lock = lockFile === null ? null : await readFile(lockFile);
  return {
    node: Number.parseInt(process.versions.node, 10),
    platform: process.platform,
    arch: process.arch,
    libc: libc(),
    lockFile: lock && createHash('sha256').update(lock).digest('hex'),
  };
}

let knownLibc: Machine['libc'] | undefined;

/** The report names glibc's version, and musl has none. Writing one takes milliseconds: it is asked once. */
function libc(): Machine['libc'] {
  if (process.platform !== 'linux') return null;
  if (knownLibc === undefined) {
    const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    knownLibc = header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  }
  return knownLibc;
}

/** Why a machine cannot run a release that needs this, in words that go after its name; `null` when it can. */
export function fits(needs: Machine | null, machine: Machine): string | null {
  if (needs === null) return null;
  const reasons: string[] = [];
  if (needs.platform !== machine.platform || needs.arch !== machine.arch) {
    reasons.push(
      `was built for ${needs.platform} ${needs.arch}, and this is ${machine.platform} ${machine.arch}`,
    );
  } else if (needs.libc !== machine.libc) {
    reasons.push(`was built for ${needs.libc}, and this machine has ${machine.libc}`);
  }
  if (needs.node !== machine.node) {
    reasons.push(`was built with Node ${needs.node}, and this is Node ${machine.node}`);
  }
  if (needs.lockFile !== null && needs.lockFile !== machine.lockFile) {
    reasons.push(
      machine.lockFile === null
        ? 'was built with a lock file, and there is none here'
        : 'was built with another lock file than the one here',
    );
  }
  return reasons.length === 0 ? null : reasons.join('; ');
}

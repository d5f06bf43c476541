import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../../config/ecosystem.ts';
import type { Config } from '../../config/schema.ts';
import { SlotsError } from '../../errors.ts';
import type { Instance, Pm2 } from '../../pm2.ts';
import { readAskedPorts } from '../../slots/asked-ports.ts';
import { readCrash } from '../../slots/crash-file.ts';
import { readEnvFiles } from '../../slots/env-files.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { readSharedKeys } from '../../slots/secrets.ts';
import type { Slot } from '../../slots/slot.ts';
import { createRedactor } from '../build/redact.ts';
import { type ProbeAnswer, tryProbeInstances, tryProbeSlot } from '../health/probe.ts';
import { judge } from '../health/verdict.ts';

/** Pause between two looks at a starting slot, in milliseconds: short, since visitors wait for the release. */
const LOOK_INTERVAL_MS = 15;

/** Pause between two questions to PM2, in milliseconds: each one reads every process's memory. */
const PM2_INTERVAL_MS = 250;

/** A site with more ports than these knows what it does. */
const SHOWN_PORTS = 3;

interface Parts {
  config: Config;
  paths: SitePaths;
  pm2: Pick<Pm2, 'instances'>;
}

/**
 * Resolves when each process that PM2 runs for the slot has answered with this release.
 *
 * @throws SlotsError `START_CRASHED` or `START_TIMEOUT`
 */
export async function everyInstanceAnswers(
  { config, paths, pm2 }: Parts,
  slot: Slot,
  release: string,
  signal?: AbortSignal,
): Promise<void> {
  const app = appName(config, slot);
  const deadline = performance.now() + config.health.deadlineMs;
  const answered = new Set<number>();
  const inFiles = readEnvFiles(paths.root, config.envFiles);
  const redact = createRedactor(
    { ...readSharedKeys(paths), ...inFiles, ...config.env },
    process.env,
  );
  const crashOf = async () => {
    const crash = await readCrash(paths, release);
    if (crash === null) return null;
    const isTaken = crash.includes('EADDRINUSE');
    const asked = isTaken ? await readAskedPorts(paths, release) : [];
    return redact(crash) + otherPort(asked, config.ports[slot]);
  };
  let instances = await pm2.instances(app);
  let askedPm2 = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    // The port tells at the least cost that nobody listens yet; then each is asked that may be the last.
    const before = answered.size;
    const answers =
      before === 0
        ? [await tryProbeSlot(config, slot)]
        : await tryProbeInstances(config, paths.run, slot);
    for (const answer of answers) {
      const pid = listener(answer, release);
      if (pid !== null) answered.add(pid);
    }
    if (instances.length > 0 && instances.every(({ pid }) => answered.has(pid))) return;

    const crash = await crashOf();
    if (crash !== null) throw crashed(slot, crash);
    if (performance.now() > askedPm2 + PM2_INTERVAL_MS) {
      instances = await pm2.instances(app);
      askedPm2 = performance.now();
      const dead = instances.find(({ status }) => status !== 'online' && status !== 'launching');
      // It may have died, and said why, since that was looked for.
      if (dead) throw crashed(slot, (await crashOf()) ?? exitReason(dead));
    }
    if (performance.now() > deadline) {
      throw new SlotsError(
        'START_TIMEOUT',
        notListening(config.health.deadlineMs, instances, answered) +
          otherPort(await readAskedPorts(paths, release), config.ports[slot]),
      );
    }
    // Not at once where one has answered before: the questions would take the processor from another that still boots.
    if (answered.size === before) await delay(LOOK_INTERVAL_MS);
  }
}

/** The instance of this release that answered, with whatever status: that is the check's to judge. */
function listener(answer: ProbeAnswer | Error, release: string): number | null {
  const { is } = judge(answer, release);
  return answer instanceof Error || is === 'foreign' ? null : answer.pid;
}

function crashed(slot: Slot, reason: string): SlotsError {
  return new SlotsError('START_CRASHED', `the candidate crashed at start: ${reason}`, {
    hint: `\`slots logs ${slot}\` shows its output`,
  });
}

function exitReason(instance: Instance): string {
  // PM2 says 0 of a process that was killed too.
  if (instance.exitCode === 0) return 'an instance ended, by a signal or with code 0';
  return `an instance exited with code ${instance.exitCode ?? 'unknown'}`;
}

function notListening(ms: number, instances: Instance[], answered: Set<number>): string {
  const silent = instances.filter(({ pid }) => !answered.has(pid)).length;
  if (silent === instances.length)
    return `the candidate did not answer on its port within ${ms} ms`;
  return `${silent} of ${instances.length} instances did not answer within ${ms} ms`;
}

/** Most examples of `listen` have a port of their own in the code. */
function otherPort(asked: number[], port: number): string {
  if (asked.length === 0 || asked.includes(port)) return '';
  const ports = asked.slice(0, SHOWN_PORTS).join(', ');
  return `: the site listens on ${ports}, and not where it is told; write listen(process.env.PORT)`;
}

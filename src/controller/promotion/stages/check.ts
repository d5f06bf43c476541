import { setTimeout as delay } from 'node:timers/promises';
import { appName } from '../../../config/ecosystem.ts';
import type { Config } from '../../../config/schema.ts';
import { SlotsError } from '../../../errors.ts';
import type { Slot } from '../../../slots/slot.ts';
import type { Candidate } from '../../../slots/state.ts';
import { type ProbeAnswer, tryProbeInstances } from '../../health/probe.ts';
import { complaintAboutRedirect } from '../../health/redirects.ts';
import { judge } from '../../health/verdict.ts';
import type { StageContext } from './context.ts';

/** How long the candidate may be asked for pages before its flip, in milliseconds: an edit is expected live within seconds. */
const FILL_MS = 2000;

/**
 * Waits until each instance of the candidate has given `health.consecutive` healthy answers in a row, and then has the
 * workers ask it for what visitors ask for. An instance that those pages have ended is waited for once more, since
 * PM2 has put another in its place that nobody has seen well.
 *
 * @throws SlotsError `CHECK_FAILED` when that has not happened by `health.deadlineMs`, or when all that the
 * candidate answers is a redirect to itself
 */
export async function check(
  context: StageContext,
  { slot, release }: Candidate,
  signal: AbortSignal,
): Promise<void> {
  const candidate = { slot, release };
  const instances = await untilHealthy(context, candidate, signal);
  const { workers, log } = context;
  signal.throwIfAborted();
  const urls = await unlessAborted(workers.fillAhead(slot, FILL_MS), signal);
  if (urls > 0) log.info({ event: 'cache.filled', slot, urls }, `asked ${slot} for ${urls} URLs`);
  if (await areStillWell(context, candidate, instances)) return;
  await untilHealthy(context, candidate, signal);
}

type Checked = Pick<Candidate, 'slot' | 'release'>;

async function areStillWell(
  { config, paths }: StageContext,
  { slot, release }: Checked,
  instances: ReadonlySet<number>,
): Promise<boolean> {
  const answers = await tryProbeInstances(config, paths.run, slot);
  if (!answers.every((answer) => judge(answer, release).is === 'well')) return false;
  const pids = new Set(answers.map((answer) => (answer as ProbeAnswer).pid));
  const areSame = pids.size === instances.size && [...instances].every((pid) => pids.has(pid));
  return pids.has(null) || areSame;
}

function unlessAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort);
  return Promise.race([result, promise]).finally(() => signal.removeEventListener('abort', abort));
}

/** The pids of the instances that were seen well. */
async function untilHealthy(
  { config, paths, pm2 }: StageContext,
  { slot, release }: Checked,
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const { health } = config;
  const deadline = performance.now() + health.deadlineMs;
  const instances = await pm2.instances(appName(config, slot));
  const streaks = new Map(instances.map(({ pid }) => [pid, 0]));
  let complaint = 'it did not answer';
  for (;;) {
    signal.throwIfAborted();
    const answers = await tryProbeInstances(config, paths.run, slot);
    for (const answer of answers) {
      const verdict = judge(answer, release);
      if (verdict.is !== 'well') complaint = verdict.why;
      count(streaks, answer, verdict.is === 'well');
    }
    if ([...streaks.values()].every((streak) => streak >= health.consecutive)) {
      await checkRedirect(config, slot, answers[0] as ProbeAnswer);
      return new Set(streaks.keys());
    }
    if (performance.now() > deadline) {
      const within = `within ${health.deadlineMs} ms`;
      throw failed(slot, `was not healthy ${within}: GET ${health.path}: ${complaint}`);
    }
    await delay(health.intervalMs, undefined, { signal });
  }
}

async function checkRedirect(
  { ports, health: { path, timeoutMs } }: Config,
  slot: Slot,
  answer: ProbeAnswer,
): Promise<void> {
  const wrong = await complaintAboutRedirect(ports[slot], path, timeoutMs, answer);
  if (wrong !== null) throw failed(slot, `is of no use: GET ${path} ${wrong}`);
}

function failed(slot: Slot, how: string): SlotsError {
  return new SlotsError('CHECK_FAILED', `the candidate ${how}`, {
    hint: `\`slots logs ${slot}\` shows its output; any 2xx or 3xx is healthy`,
  });
}

/** An answer that names no instance may have been any one's: all of them start over. */
function count(streaks: Map<number, number>, answer: ProbeAnswer | Error, good: boolean): void {
  const pid = answer instanceof Error ? null : answer.pid;
  if (pid === null) for (const each of streaks.keys()) streaks.set(each, 0);
  else streaks.set(pid, good ? (streaks.get(pid) ?? 0) + 1 : 0);
}

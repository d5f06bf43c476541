/** How far a promotion has come, stage by stage, and how that is said. Pure. */
import type { Status } from '../controller/admin/status.ts';
import { duration } from '../duration.ts';
import { ago, reasonOf } from './format.ts';

export const STAGES = ['build', 'start', 'check', 'flip', 'drain', 'reload'] as const;

type Stage = (typeof STAGES)[number];
type Running = NonNullable<Status['promotion']>;

const SAYS: Record<Stage, string> = {
  build: 'building beside what is live',
  start: 'starting the idle slot on the new release',
  check: 'asking every new instance whether it is healthy',
  flip: 'moving visitors over',
  drain: 'letting the old slot finish what it has begun',
  reload: 'warming up the standby',
};

export interface Step {
  stage: Stage;
  state: 'todo' | 'running' | 'done' | 'failed' | 'skipped' | 'missed';
  /** `null` where no time was spent, or none is known. */
  ms: number | null;
}

/** @param now on the site's machine, as the promotion's begin is */
export function stepsOf(
  { promotion, last }: Pick<Status, 'promotion' | 'last'>,
  now: number,
): Step[] {
  return promotion ? runningSteps(promotion, now) : lastSteps(last);
}

/** The controller says when the promotion began and what the finished stages took: the rest is the running one's. */
function runningSteps({ stage: current, startedAt, durationsMs }: Running, now: number): Step[] {
  const reached = STAGES.indexOf(current);
  const spent = sumOf(durationsMs);
  return STAGES.map((stage, index) => {
    if (index > reached) return { stage, state: 'todo', ms: null };
    if (index === reached) {
      return { stage, state: 'running', ms: Math.max(0, now - Date.parse(startedAt) - spent) };
    }
    const ms = durationsMs[stage] ?? null;
    return { stage, state: ms === null ? 'skipped' : 'done', ms };
  });
}

function lastSteps(last: Status['last']): Step[] {
  return STAGES.map((stage) => {
    if (!last) return { stage, state: 'todo', ms: null };
    const ms = last.durationsMs[stage] ?? null;
    if (last.outcome === 'failed' && stage === last.stage) return { stage, state: 'failed', ms };
    if (ms !== null) return { stage, state: 'done', ms };
    return { stage, state: last.outcome === 'failed' ? 'missed' : 'skipped', ms };
  });
}

/** The running promotion, or how the last one ended, in a sentence. */
export function sentenceOfPromotion({ promotion, last }: Status, now: number): string {
  if (promotion) return runningSentence(promotion, now);
  if (!last) return 'None has run yet.';
  const what = last.release ?? 'A new release';
  const when = `${ago(last.finishedAt, now)}, after ${duration(sumOf(last.durationsMs))}`;
  if (last.outcome === 'failed') {
    return `${what} failed in ${last.stage} ${when}. Visitors saw nothing of it.`;
  }
  return last.outcome === 'promoted'
    ? `${what} was promoted ${when}.`
    : `Rolled back to ${what} ${when}.`;
}

function runningSentence({ release, trigger, stage, startedAt }: Running, now: number): string {
  const elapsed = duration(Math.max(0, now - Date.parse(startedAt)));
  return `${release ?? 'A new release'} (${reasonOf(trigger)}), ${elapsed}: ${SAYS[stage]}.`;
}

/** Read out to those who do not see the stages move. */
export function announcementOf({ promotion, last, active, slots }: Status): string {
  if (promotion) return `Promotion: ${promotion.stage}, ${SAYS[promotion.stage]}`;
  if (!last) return '';
  if (last.outcome === 'failed') return `The promotion failed in ${last.stage}: ${last.error}`;
  const how = last.outcome === 'promoted' ? 'Promoted' : 'Rolled back';
  return `${how}. ${slots[active].release} is live on ${active}`;
}

export function sumOf(durationsMs: Partial<Record<Stage, number>>): number {
  return Object.values(durationsMs).reduce((sum, ms) => sum + ms, 0);
}

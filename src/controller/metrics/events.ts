import { OUTCOMES } from '../../config/admin-schema.ts';
import { STAGES } from '../../slots/state.ts';
import { STAGE_BOUNDS_S } from './event-counters.ts';
import { type Family, histogramSamples } from './family.ts';

const DURATION = 'slots_promotion_stage_duration_seconds';

export const eventFamilies: Family[] = [
  {
    name: 'slots_promotions_total',
    help: 'Promotions and rollbacks that ended, by outcome, since the controller started.',
    type: 'counter',
    labels: ['outcome'],
    read: ({ eventCounters }) =>
      OUTCOMES.map((outcome) => ({
        labels: { outcome },
        value: eventCounters.promotions[outcome],
      })),
  },
  {
    name: DURATION,
    help: 'How long the stages of promotions took, in seconds.',
    type: 'histogram',
    labels: ['stage', 'le'],
    read: ({ eventCounters }) =>
      STAGES.flatMap((stage) => {
        const { counts, sum } = eventCounters.stages[stage];
        return histogramSamples(DURATION, { stage }, STAGE_BOUNDS_S, counts, sum);
      }),
  },
  {
    name: 'slots_notifications_total',
    help: 'Notifications, by whether they arrived in the end.',
    type: 'counter',
    labels: ['outcome'],
    read: ({ eventCounters }) =>
      (['sent', 'failed'] as const).map((outcome) => ({
        labels: { outcome },
        value: eventCounters.notifications[outcome],
      })),
  },
  {
    name: 'slots_git_pushes_total',
    help: "A git host's calls of the webhook, by what came of them.",
    type: 'counter',
    labels: ['outcome'],
    read: ({ eventCounters }) =>
      Object.entries(eventCounters.pushes).map(([outcome, value]) => ({
        labels: { outcome },
        value,
      })),
  },
];

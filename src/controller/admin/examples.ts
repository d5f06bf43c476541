/** Values that several routes' examples have in common; a test holds each example against its schema. */
import type { HistoryEntry } from '../../slots/history.ts';

export const RELEASE = 'r20260131T120000-1a2b3c';
export const ORDER_ID = '0b6f1c9e-8a57-4c1b-9f0e-2f6f4c1f7a10';

export const HISTORY_ENTRY: HistoryEntry = {
  id: ORDER_ID,
  release: RELEASE,
  outcome: 'promoted',
  stage: 'reload',
  error: null,
  finishedAt: '2026-01-31T12:00:09.120Z',
  durationsMs: { build: 4810, start: 690, check: 240, flip: 12, drain: 310, reload: 940 },
  trigger: 'edit',
  startedAt: '2026-01-31T12:00:02.118Z',
};

import fc from 'fast-check';

/** What may happen to a site, in any order. */
export type Event =
  | { type: 'advance' | 'fail' | 'edit' | 'hear' | 'promote' | 'rollback' | 'pause' | 'resume' }
  | { type: 'active dies' | 'idle dies' | 'dead heals' | 'fail back' }
  | { type: 'standby is deleted' | 'disk is full' }
  | { type: 'roll back to' | 'end request'; nth: number }
  | { type: 'lose worker' | 'reconnect worker' | 'request'; worker: number }
  | { type: 'kill controller'; restartedWorkers: number[] };

export type EventOf<Type> = Extract<Event, { type: Type }>;

export const WORKERS = 3;

const worker = fc.nat({ max: WORKERS - 1 });
const nth = fc.nat({ max: 9 });

const common = fc.constantFrom('edit', 'hear', 'resume', 'fail');
const rare = fc.constantFrom(
  'promote',
  'rollback',
  'pause',
  'active dies',
  'idle dies',
  'dead heals',
  'fail back',
  'standby is deleted',
  'disk is full',
);
const ofWorker = fc.constantFrom('request', 'lose worker', 'reconnect worker', 'reconnect worker');
const ofNth = fc.constantFrom('roll back to', 'end request', 'end request');

/** Mostly progress, so that promotions reach their ends. */
export const anyEvent = fc.oneof(
  { weight: 110, arbitrary: fc.constant({ type: 'advance' }) },
  { weight: 8, arbitrary: fc.record({ type: common }) },
  { weight: 8, arbitrary: fc.record({ type: rare }) },
  { weight: 8, arbitrary: fc.record({ type: ofWorker, worker }) },
  { weight: 3, arbitrary: fc.record({ type: ofNth, nth }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('kill controller'),
      restartedWorkers: fc.uniqueArray(worker),
    }),
  },
) as fc.Arbitrary<Event>;

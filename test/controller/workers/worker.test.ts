import { expect, test } from 'vitest';
import {
  connectedBy,
  hasAcknowledged,
  openOn,
  overdue,
  type Worker,
} from '../../../src/controller/workers/worker.ts';
import { testAssignment } from '../../support/test-assignment.ts';

function worker(pid: number, phase: Worker['phase'], dueAt = 100): Worker {
  return { pid, phase, dueAt, asked: false };
}

function connected(changes: Partial<ReturnType<typeof connectedBy>> = {}) {
  return { ...connectedBy(() => {}), ...changes };
}

test('a worker has acknowledged an assignment by its epoch and its revision together', () => {
  const routes = worker(1, connected({ epoch: 4, revision: 2 }));
  expect(hasAcknowledged(routes, testAssignment(4, 2))).toBe(true);
  expect(hasAcknowledged(routes, testAssignment(4, 3))).toBe(false);
  expect(hasAcknowledged(routes, testAssignment(5, 2))).toBe(false);
});

test('a worker is overdue once its time is over, in any phase, unless it has acknowledged', () => {
  const late = [
    worker(1, { name: 'starting' }),
    worker(2, { name: 'lost' }),
    worker(3, connected({ epoch: 3 })),
  ];
  const done = worker(4, connected({ epoch: 4, revision: 0 }));
  const young = worker(5, { name: 'starting' }, 300);
  const all = [...late, done, young];
  expect(overdue(all, testAssignment(4), 100)).toEqual([]);
  expect(overdue(all, testAssignment(4), 101)).toEqual(late);
});

test('what is open on a slot is unknown while a worker is lost or has not counted', () => {
  const counted = worker(1, connected({ inflight: { blue: 3, green: 1 }, counted: true }));
  const starting = worker(2, { name: 'starting' });
  expect(openOn([counted, starting], 'blue')).toBe(3);
  expect(openOn([counted, worker(3, { name: 'lost' })], 'blue')).toBeNull();
  expect(openOn([counted, worker(3, connected())], 'green')).toBeNull();
});

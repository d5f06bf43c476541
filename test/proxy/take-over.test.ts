import { expect, onTestFinished, test } from 'vitest';
import { createTakeOver } from '../../src/proxy/take-over.ts';
import { instantNow } from '../../src/wire/instant.ts';
import { testAssignment } from '../support/test-assignment.ts';
import { until } from '../support/until.ts';

function setUp(isRouting = true) {
  const taken: { epoch: number; at: number; lateMs: number }[] = [];
  const takeOver = createTakeOver(() => isRouting);
  onTestFinished(takeOver.stop);
  const receive = (epoch: number, flipAt?: number) => {
    const assignment = { ...testAssignment(epoch), ...(flipAt !== undefined && { flipAt }) };
    takeOver.at(assignment, (lateMs) => taken.push({ epoch, at: instantNow(), lateMs }));
  };
  return { taken, receive, stop: takeOver.stop };
}

test('an assignment without an instant, or whose instant is over, is taken at once', () => {
  const { taken, receive } = setUp();
  receive(1);
  receive(2, instantNow() - 5);
  expect(taken.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(taken[1]?.lateMs).toBeGreaterThanOrEqual(5);
});

test('an assignment that is sent ahead is taken at its instant, and says how late that was', async () => {
  const { taken, receive } = setUp();
  const flipAt = instantNow() + 60;
  receive(7, flipAt);
  expect(taken).toEqual([]);
  const [one] = await until(() => taken.length > 0 && taken, 'the flip');
  expect(one?.at).toBeGreaterThanOrEqual(flipAt);
  expect(one?.lateMs).toBeCloseTo((one?.at ?? 0) - flipAt, 0);
});

test('what comes last before the instant is what is taken', async () => {
  const { taken, receive } = setUp();
  const flipAt = instantNow() + 60;
  receive(7, flipAt);
  receive(8, flipAt);
  await until(() => taken.length > 0, 'the flip');
  receive(9);
  expect(taken.map(({ epoch }) => epoch)).toEqual([8, 9]);
});

test('a worker that sends visitors nowhere yet waits for nothing', () => {
  const { taken, receive } = setUp(false);
  receive(7, instantNow() + 60_000);
  expect(taken).toHaveLength(1);
});

import { type TestContext, test } from 'vitest';
import { isFull } from './table.ts';

/** An experiment that is part of `npm run test:faults` only. */
export function longTest(
  name: string,
  experiment: (context: TestContext) => Promise<void>,
  timeoutMs?: number,
): void {
  test(name, timeoutMs ? { timeout: timeoutMs } : {}, async (context) => {
    if (!isFull) context.skip('takes too long for a quick run: npm run test:faults has it');
    await experiment(context);
  });
}

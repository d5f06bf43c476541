import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sendSoon } from '../../src/proxy/send-soon.ts';

/** Something to send, that cannot be if its name is in capitals. */
function waiting(name: string, log: string[], then: () => void = () => {}) {
  return {
    sendNow() {
      if (name === name.toUpperCase()) throw new Error(`no ${name}`);
      log.push(name);
      then();
    },
    failed: ({ message }: Error) => void log.push(message),
  };
}

test('what waits in one turn is sent right after each other, in order, and not before its end', async () => {
  const log: string[] = [];
  sendSoon(waiting('a', log));
  await Promise.resolve();
  sendSoon(waiting('b', log));
  expect(log).toEqual([]);
  await nextTurn();
  expect(log).toEqual(['a', 'b']);
});

test('what begins to wait while others are sent is left to the next turn', async () => {
  const log: string[] = [];
  sendSoon(waiting('a', log, () => sendSoon(waiting('b', log))));
  await nextTurn();
  expect(log).toEqual(['a']);
  await nextTurn();
  expect(log).toEqual(['a', 'b']);
});

test('what cannot be sent is told so, and keeps nothing else from being sent', async () => {
  const log: string[] = [];
  for (const name of ['a', 'B', 'c']) sendSoon(waiting(name, log));
  await nextTurn();
  expect(log).toEqual(['a', 'no B', 'c']);
});

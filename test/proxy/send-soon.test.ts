import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sendSoon } from '../../src/proxy/send-soon.ts';

test('sends the answers of one turn right after each other, in order, and not before its end', async () => {
  const sent: string[] = [];
  const answer = (name: string) => ({ sendNow: () => void sent.push(name) });
  sendSoon(answer('a'));
  await Promise.resolve();
  sendSoon(answer('b'));
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual(['a', 'b']);
});

test('leaves to the next turn what begins while answers are sent', async () => {
  const sent: string[] = [];
  sendSoon({
    sendNow() {
      sent.push('a');
      sendSoon({ sendNow: () => void sent.push('b') });
    },
  });
  await nextTurn();
  expect(sent).toEqual(['a']);
  await nextTurn();
  expect(sent).toEqual(['a', 'b']);
});

import { expect, test } from 'vitest';
import { encodedBody } from '../../../src/proxy/compress/encoded-bodies.ts';
import { createEncodingQueue } from '../../../src/proxy/compress/encoding-queue.ts';
import { until } from '../../support/until.ts';

function job(text: string, isLasting = true) {
  const made: number[] = [];
  const body = Buffer.from(text);
  const onMade = () => made.push(encodedBody(body, 'br')?.length ?? -1);
  return { body, coding: 'br' as const, isLasting, isWanted: () => true, onMade, made };
}

test('bodies are compressed one at a time, all of them quickly before one at the highest level', async () => {
  const order: string[] = [];
  let running = 0;
  const { add } = createEncodingQueue(async (body, _coding, effort) => {
    expect(++running).toBe(1);
    await new Promise(setImmediate);
    running--;
    order.push(`${body} ${effort}`);
    return Buffer.alloc(effort === 'quick' ? 9 : 5);
  });
  const [a, b, c] = [job('a'), job('b'), job('c', false)];
  for (const one of [a, b, c, a, b]) add(one);
  await until(() => order.length === 5, 'all to be made');
  expect(order).toEqual(['a quick', 'b quick', 'c quick', 'a best', 'b best']);
  expect([a.made, b.made, c.made]).toEqual([[9, 5], [9, 5], [9]]);
});

test('a body that gets no smaller is not tried again at the highest level', async () => {
  const order: string[] = [];
  const { add } = createEncodingQueue(async (_body, _coding, effort) => {
    order.push(effort);
    return null;
  });
  const one = job('noise');
  add(one);
  await until(() => one.made.length === 1, 'the first try');
  await new Promise(setImmediate);
  expect(order).toEqual(['quick']);
  expect(encodedBody(one.body, 'br')).toBeNull();
});

test('a failure costs that coding only, and the next one is made', async () => {
  const { add } = createEncodingQueue(async (body) => {
    if (String(body) === 'bad') throw new Error('no memory');
    return Buffer.alloc(1);
  });
  const [bad, good] = [job('bad', false), job('good', false)];
  add(bad);
  add(good);
  await until(() => good.made.length === 1, 'the good one');
  expect(encodedBody(bad.body, 'br')).toBeUndefined();
});

test('what is not stored any more is not made', async () => {
  const { add } = createEncodingQueue();
  const gone = { ...job('gone'.repeat(100)), isWanted: () => false };
  const after = job('after'.repeat(100), false);
  add(gone);
  add(after);
  await until(() => after.made.length === 1, 'the one after it');
  expect(encodedBody(gone.body, 'br')).toBeUndefined();
});

import { expect, test } from 'vitest';
import { createLoopGuard } from '../../../src/controller/source/loop-guard.ts';

test('calls it a loop when the third build in a row has changed what it read', () => {
  const guard = createLoopGuard();
  for (const build of [1, 2, 3]) {
    expect(guard.isLoop(`after ${build - 1}`)).toBe(false);
    guard.began(`after ${build - 1}`);
    guard.ended(`after ${build}`);
  }
  expect(guard.isLoop('after 3')).toBe(true);
});

test('a change between two builds is a person, and the count starts over', () => {
  const guard = createLoopGuard();
  for (const build of [1, 2, 3]) {
    guard.began(`after ${build - 1}`);
    guard.ended(`after ${build}`);
  }
  expect(guard.isLoop('edited')).toBe(false);
  guard.began('edited');
  guard.ended('edited and changed');
  expect(guard.isLoop('edited and changed')).toBe(false);
});

test('a build that leaves the source as it is ends what looked like a loop', () => {
  const guard = createLoopGuard();
  guard.began('0');
  guard.ended('1');
  guard.began('1');
  guard.ended('2');
  guard.began('2');
  guard.ended('2');
  guard.began('2');
  guard.ended('3');
  expect(guard.isLoop('3')).toBe(false);
});

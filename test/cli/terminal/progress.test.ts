import { afterEach, expect, test, vi } from 'vitest';
import { createProgress } from '../../../src/cli/terminal/progress.ts';

afterEach(() => void vi.useRealTimers());

test('off a terminal a long build says each 15 s how long it runs and what it printed last', () => {
  vi.useFakeTimers();
  let written = '';
  const write = (text: string) => {
    written += text;
    return true;
  };
  const progress = createProgress({ isTTY: false, write } as unknown as NodeJS.WriteStream);
  progress.say('build r1');
  progress.show({ type: 'build-line', line: 'bundling' } as never);
  vi.advanceTimersByTime(31_000);
  progress.end();
  vi.advanceTimersByTime(60_000);
  expect(written.split('\n')).toEqual([
    'build r1',
    expect.stringMatching(/^build r1, 15(\.\d)? s: bundling$/),
    expect.stringMatching(/^build r1, 30(\.\d)? s: bundling$/),
    '',
  ]);
});

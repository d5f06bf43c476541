import { expect, test } from 'vitest';
import { plainText } from '../src/plain-text.ts';

test.each([
  ['two\nlines\r\n', 'two lines'],
  ['\u001b[31mred\u001b[0m', 'red'],
  ['a\u001b]0;title\u0007b', 'ab'],
  ['back\b\bspace, \u009b31m', 'back space, '.trim()],
  ['evil\u202etxt.exe', 'evil txt.exe'],
  ['ünïcode · ✓ 日本', 'ünïcode · ✓ 日本'],
])('%j becomes %j', (text, expected) => {
  expect(plainText(text)).toBe(expected);
});

import { expect, test } from 'vitest';
import { createScreen } from '../../../src/cli/terminal/screen.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what sequences start with.
const PARTS = /\x1b\[[?\d;]*[A-Za-z]|\n|\r|[^\x1b\n\r]+/g;

/** A terminal that understands what the screen writes, and nothing else. */
function fakeTerminal(columns = 20, rows = 10) {
  const lines: string[] = ['$ slots status --watch', ''];
  let row = 1;
  let cursorShown = true;
  const apply = (sequence: string) => {
    if (sequence.endsWith('A')) row -= Number(sequence.slice(2, -1));
    else if (sequence === '\x1b[J') lines.splice(row);
    else if (sequence === '\x1b[2J') lines.splice(0);
    else if (sequence === '\x1b[H') row = 0;
    else if (sequence === '\x1b[?25l') cursorShown = false;
    else if (sequence === '\x1b[?25h') cursorShown = true;
  };
  return {
    columns,
    rows,
    shown: () => lines.map((line) => line ?? ''),
    cursorShown: () => cursorShown,
    write(text: string) {
      for (const [part] of text.matchAll(PARTS)) {
        if (part === '\n') row++;
        else if (part === '\x1b[K') continue;
        else if (part.startsWith('\x1b')) apply(part);
        else if (part !== '\r') lines[row] = part;
      }
    },
  };
}

test('draws anew in place, below what was there, whatever the height', () => {
  const terminal = fakeTerminal();
  const screen = createScreen(terminal);
  screen.draw('one\ntwo\nthree');
  screen.draw('ONE');
  expect(terminal.shown()).toEqual(['$ slots status --watch', 'ONE']);
  screen.draw('one\ntwo');
  expect(terminal.shown()).toEqual(['$ slots status --watch', 'one', 'two']);
});

test('takes the lines that a long one needs into account', () => {
  const terminal = fakeTerminal(5);
  const screen = createScreen(terminal);
  screen.draw('abcdefgh\nx');
  screen.draw('abcdefgh\ny');
  expect(terminal.shown().slice(1)).toEqual(['abcde', 'fgh', 'y']);
});

test('never draws more lines than the terminal has, or it would scroll', () => {
  const terminal = fakeTerminal(20, 3);
  const screen = createScreen(terminal);
  screen.draw('a\nb\nc\nd');
  expect(terminal.shown().slice(1)).toEqual(['a', 'b']);
});

test('never clears what it is about to draw', () => {
  const written: string[] = [];
  const screen = createScreen({
    columns: 20,
    rows: 9,
    write: (text: string) => written.push(text),
  });
  screen.draw('one\ntwo');
  screen.draw('one\nTWO');
  // Text first, and only then what is left of the line before; all of a picture in one write.
  expect(written.at(-1)).toBe('\x1b[?2026h\r\x1b[2Aone\x1b[K\nTWO\x1b[K\n\x1b[J\x1b[?2026l');
  expect(written).toHaveLength(3);
});

test('hides the cursor and gives it back, once', () => {
  const terminal = fakeTerminal();
  const screen = createScreen(terminal);
  expect(terminal.cursorShown()).toBe(false);
  screen.close();
  screen.close();
  expect(terminal.cursorShown()).toBe(true);
});

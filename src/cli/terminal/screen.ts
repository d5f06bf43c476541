import { wrapLines } from './format.ts';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** Terminals that know these show what is between them at once. */
const BEGIN_FRAME = '\x1b[?2026h';
const END_FRAME = '\x1b[?2026l';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** The part of a terminal stream that is drawn to. */
export interface Terminal {
  columns: number;
  rows: number;
  write(text: string): unknown;
}

/** A picture that is drawn anew in place, below what the terminal shows already. */
export interface Screen {
  draw(text: string): void;
  /** After a change of the terminal's size the old picture is somewhere else: it starts on an empty screen. */
  resized(): void;
  /** Gives the cursor back, below the last picture. */
  close(): void;
}

/** Each line is overwritten and only then cleared to its end, so nothing is ever blank in between. */
export function createScreen(terminal: Terminal): Screen {
  let height = 0;
  let closed = false;
  terminal.write(HIDE_CURSOR);
  return {
    draw(text) {
      const lines = wrapLines(text, terminal.columns).slice(0, terminal.rows - 1);
      const up = height > 0 ? `\x1b[${height}A` : '';
      const body = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('');
      terminal.write(`${BEGIN_FRAME}\r${up}${body}${CLEAR_BELOW}${END_FRAME}`);
      height = lines.length;
    },
    resized() {
      terminal.write('\x1b[2J\x1b[H');
      height = 0;
    },
    close() {
      if (closed) return;
      closed = true;
      terminal.write(SHOW_CURSOR);
    },
  };
}

import { stripVTControlCharacters } from 'node:util';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what colour codes start with.
const COLOUR_OR_CHARACTER = /\x1b\[[\d;]*m|./gsu;

/** `just now`, `40 s ago`, `3 min ago`, `2 h 3 min ago`, `3 d ago` */
export function ago(iso: string, now = Date.now()): string {
  const ms = Math.max(0, now - Date.parse(iso));
  if (ms < 2000) return 'just now';
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min ago` : `${Math.floor(hours / 24)} d ago`;
}

/** `2 KiB`, `100 MiB`, `1.5 GiB` */
export function bytes(count: number): string {
  const kib = Math.round(count / 1024);
  if (kib < 1024) return `${kib} KiB`;
  const mib = Math.round(count / 1024 / 1024);
  return mib < 1024 ? `${mib} MiB` : `${(count / 1024 ** 3).toFixed(1)} GiB`;
}

/** Columns as wide as their widest cell; colour codes take no width. The last column is not padded. */
export function table(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell));
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A text in one line: line breaks become spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** The text with every line cut to the width of the terminal, with an ellipsis; colours are closed. */
export function cutLines(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => (width(line) <= columns ? line : `${take(line, columns - 1)[0]}…`))
    .map((line) => (line.endsWith('…') && line.includes('\x1b') ? `${line}\x1b[0m` : line))
    .join('\n');
}

/** The text with lines that are longer than the terminal is wide broken, anywhere. */
export function wrapLines(text: string, columns: number): string[] {
  return text.split('\n').flatMap((line) => {
    const parts: string[] = [];
    let rest = line;
    while (width(rest) > columns) {
      const [part, after] = take(rest, columns);
      parts.push(part);
      rest = after;
    }
    return [...parts, rest];
  });
}

/** The first so many characters, and the rest. Colour codes take no room, so they are passed over whole. */
function take(line: string, count: number): [string, string] {
  let room = Math.max(1, count);
  let taken = '';
  for (const [part] of line.matchAll(COLOUR_OR_CHARACTER)) {
    const isColour = part.length > 1 && part.startsWith('\x1b');
    if (!isColour && room-- <= 0) break;
    taken += part;
  }
  return [taken, line.slice(taken.length)];
}

function pad(cell: string, to: number): string {
  return cell + ' '.repeat(to - width(cell));
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

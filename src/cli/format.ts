import { stripVTControlCharacters } from 'node:util';

/** `850 ms`, `4.2 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h` */
export function duration(ms: number): string {
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  if (Math.round(ms / 100) < 600) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `just now`, `40 s ago`, `2 h 3 min ago` */
export function ago(iso: string, now = Date.now()): string {
  const ms = Math.max(0, now - Date.parse(iso));
  if (ms < 2000) return 'just now';
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s ago` : `${duration(seconds * 1000)} ago`;
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

function pad(cell: string, to: number): string {
  return cell + ' '.repeat(to - width(cell));
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}

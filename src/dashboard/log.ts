/** The build's output as far as it is shown: live while it runs, from build.log otherwise. Pure. */
import { withoutColours } from './format.ts';

/** More than a person scrolls through; `slots logs build` has all of it. */
const MAX_LINES = 500;

export interface Log {
  /** The release whose output it is; '' when its lines came before its name. */
  release: string;
  building: boolean;
  lines: Line[];
  /** Of the next line. */
  key: number;
}

export interface Line {
  key: number;
  text: string;
  isError: boolean;
}

export const EMPTY_LOG: Log = { release: '', building: false, lines: [], key: 0 };

/** One line of the running build. It may come before the status that says that a build runs. */
export function appendLine(log: Log, text: string): Log {
  const { lines, key, release } = log.building ? log : begin('');
  return {
    release,
    building: true,
    lines: [...lines, lineOf(text, key)].slice(-MAX_LINES),
    key: key + 1,
  };
}

/**
 * Says which release the log is about from now on.
 *
 * @returns the log, and whether build.log holds something that it has not
 */
export function aboutRelease(log: Log, release: string | null, building: boolean) {
  if (release === null) return { log, isBehind: false };
  const isSame = log.release === release || (log.release === '' && log.building);
  const next = isSame ? log : begin(release);
  return {
    log: { ...next, release, building },
    isBehind: !isSame || log.building !== building,
  };
}

/** @param text the whole of build.log */
export function replaceLines(log: Log, release: string, text: string): Log {
  const lines = text.split(/\r?\n/).filter((line) => withoutColours(line).trim() !== '');
  // The file may be behind the lines that came live.
  if (release !== log.release || lines.length < log.lines.length) return log;
  const shown = lines.slice(-MAX_LINES).map((line, index) => lineOf(line, index));
  return { ...log, lines: shown, key: shown.length };
}

function begin(release: string): Log {
  return { ...EMPTY_LOG, release };
}

function lineOf(text: string, key: number): Line {
  const clean = withoutColours(text);
  return { key, text: clean, isError: /\berror\b|error:|\bfailed\b/i.test(clean) };
}

import { style } from '../terminal/style.ts';
import type { Check, GroupResult, Level } from './check.ts';

const MARKS = {
  ok: ['green', 'ok     '],
  warning: ['yellow', 'warning'],
  problem: ['red', 'problem'],
} as const;

/** One line for each check, and below it what to do, where there is something to do. */
export function renderDoctor(results: readonly GroupResult[]): string {
  const shown = results.filter(({ checks }) => checks.length > 0);
  const width = Math.max(...shown.flatMap(({ checks }) => checks.map(({ name }) => name.length)));
  const parts = shown.map(({ title, checks }) =>
    [style('bold', title), ...checks.map((check) => renderCheck(check, width))].join('\n'),
  );
  return [...parts, summary(results)].join('\n\n');
}

function renderCheck({ name, level, message, hint }: Check, width: number): string {
  const [colour, mark] = MARKS[level];
  const line = `  ${style(colour, mark)}  ${name.padEnd(width)}  ${message}`;
  if (!hint) return line;
  return `${line}\n${' '.repeat(width + 13)}${style('dim', `→ ${hint}`)}`;
}

export function countLevel(results: readonly GroupResult[], level: Level): number {
  return results.flatMap(({ checks }) => checks).filter((check) => check.level === level).length;
}

function summary(results: readonly GroupResult[]): string {
  const problems = countLevel(results, 'problem');
  const warnings = countLevel(results, 'warning');
  if (problems === 0 && warnings === 0) return style('green', 'all is well');
  const counts = [plural(problems, 'problem'), plural(warnings, 'warning')];
  return style(problems > 0 ? 'red' : 'yellow', counts.join(', '));
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

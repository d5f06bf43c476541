import { stripVTControlCharacters } from 'node:util';
import { placeOf } from './place.ts';

/** Lines that stand around a reason and never are one. */
const NOISE = [
  // Stack frames, and what stands around a stack.
  /^at (async )?\S+( \[as [^\]]+\])? \(.*\)( \{)?$/,
  /^at (async )?(file:|node:|\/|\w:\\|<anonymous>)/,
  /^(Stack trace|Location|Hint|Error reference|Caused by):?$/i,
  /^(node:|file:\/\/)\S+:\d+$/,
  /^throw /,
  /^Node\.js v\d/,
  // Code frames and drawings.
  /^>?\s*\d*\s*[│|]/,
  /^[\s^~─╭╰╯│┬└┌{}[\]()>;,-]*$/,
  /^[╭╰]─/,
  // The rest of an error that is printed as an object.
  /^(code|errno|syscall|requireStack|path|errors|plugin|loc|frame|id|hook|cause):\s.*[,'"\]}\d]$/,
  // Skip warnings, and what npm says about itself.
  /^(npm |\d\d:\d\d:\d\d )?\[?warn(ing)?\b/i,
  /^> /,
  /^npm notice/i,
  /^(A complete log of this run|This is probably not a problem with npm)/,
  /^(code|errno|syscall|path|workspace|location|command|signal) \S/,
];

/** That something failed, in other words than why. It is taken only where nothing better is said. */
const SUMMARY =
  /\b(build failed|failed (in|with|to compile)|error during build|command failed|lifecycle script|exited? with|exit (code|status)|found \d+ errors?|^\d+ errors?\b|elifecycle|failed to collect|failed to type check|problem writing|fatal error \(cli\))/i;

/** Names an error, by its class, its code or the tool's own mark; best first. */
const ERRORS = [
  /^\[\w*(Error|Exception)\]|^(Uncaught )?[\w$.]*(Error|Exception)( \[\w+\])?: \S/,
  /^\[[A-Z][A-Z_]+\] |\berror (TS|[A-Z]{1,4})\d+:|^✘ \[ERROR\]|^\[(vite|plugin|builtin)[^\]]*\]:? \S/,
  /\b(cannot|can't|could not|unable to) (find|resolve|load|read|open|parse)\b|: (command )?not found$/i,
  /^(\S+: )?(error|fatal|panic)\b[:\s]/i,
];

const GENERIC = /\berror\b|Error:|\bfailed\b/i;

const NPM_PREFIX = /^npm (error|ERR!)( |$)/;

/** Decoration that tools put around their messages. */
const DECORATIONS: [RegExp, string][] = [
  [/^\[11ty\] ?/, ''],
  [/^Original error stack trace: /, ''],
  [/^\[cause\]: /, ''],
  [/^(Error:)\s+[x×⨯] /, '$1 '],
  [/ \(via [\w ]+\)$/, ''],
];

/**
 * The one line of a failed build's output that tells a person what to mend, with the file where the tool
 * names it apart. Empty for an output without a useful line.
 *
 * @param output lines in their order; colours and blank lines may be among them
 * @param root the site's folder, which is left out of paths
 */
export function buildReason(output: readonly string[], root = ''): string {
  const bare = undrawn(output.map((line) => stripVTControlCharacters(line).trim()));
  const plain = bare.map((line) => undecorated(inSite(line, root)));
  const npmLines = new Set(plain.filter((line) => NPM_PREFIX.test(line)).map(withoutNpm));
  const lines = plain.map(withoutNpm).filter((line) => line !== '');
  const index = findReason(lines, npmLines);
  const line = lines[index];
  if (line === undefined) return '';
  const { place, message } = placeOf(lines, index);
  return placed(complete(message, lines[index + 1]), place);
}

/** Nuxt draws a line along all that it prints. */
function undrawn(lines: string[]): string[] {
  if (!lines.some((line) => line.startsWith('┌  '))) return lines;
  return lines.map((line) => line.replace(/^[│■●┌└]\s*/, ''));
}

function undecorated(line: string): string {
  return DECORATIONS.reduce(
    (text, [pattern, instead]) => text.replace(pattern, instead),
    line,
  ).trim();
}

function withoutNpm(line: string): string {
  return line.replace(NPM_PREFIX, '').trim();
}

function inSite(text: string, root: string): string {
  if (root === '') return text;
  return text.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '');
}

function findReason(lines: string[], npmLines: ReadonlySet<string>): number {
  const useful = (line: string) => !NOISE.some((noise) => noise.test(line));
  const first = (fits: (line: string) => boolean) =>
    lines.findIndex((line) => useful(line) && fits(line));
  for (const pattern of ERRORS) {
    const found = first((line) => pattern.test(line) && !SUMMARY.test(line));
    if (found >= 0) return found;
  }
  // Astro puts a plain message above the place, without any mark of an error.
  const place = lines.findIndex((line, at) => /^Location:?$/i.test(line) && at > 0);
  if (place > 0 && useful(lines[place - 1] as string)) return place - 1;
  const npm = first((line) => npmLines.has(line) && !SUMMARY.test(line));
  if (npm >= 0) return npm;
  const generic = first((line) => GENERIC.test(line) && !SUMMARY.test(line));
  if (generic >= 0) return generic;
  const last = lines.findLastIndex((line) => useful(line) && !SUMMARY.test(line));
  const summary = first((line) => SUMMARY.test(line));
  // Output before a summary is progress; output without one is all there is.
  return summary >= 0 ? summary : last;
}

function placed(message: string, place: string | null): string {
  if (place === null || message.includes(place)) return message;
  const file = place.replace(/:\d+$/, '');
  return message.includes(file) ? message.replace(file, place) : `${message} (${place})`;
}

/** Some messages go on in the next line: what does not match a schema, or all of it after a colon. */
function complete(line: string, next: string | undefined): string {
  const goesOn = /:$|does not match collection schema\.$/.test(line);
  if (!goesOn || next === undefined || NOISE.some((noise) => noise.test(next))) return line;
  // Astro repeats the field: "**title**: **title: Required".
  return `${line} ${next.replaceAll('**', '').replace(/^(\S+): \1:/, '$1:')}`;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const BLOCK = /^```(sh|shell|bash|console|zsh)\b(.*)\n([\s\S]*?)^```$/gm;

/** One fenced block of commands. */
export interface DocBlock {
  page: string;
  line: number;
  /** Why it cannot be run; `null` for one that is. */
  notRun: string | null;
  /** What stands after the language, when it is not understood. */
  badInfo: string | null;
  commands: string[];
}

/** Every page for users and contributors, relative to the repository. */
export function docPages(): string[] {
  const docs = readdirSync(join(REPOSITORY, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)];
}

export function readPage(page: string): string {
  return readFileSync(join(REPOSITORY, page), 'utf8');
}

/** The `sh` blocks of a page. Those of other shells are among them, or they would go unnoticed. */
export function docBlocks(page: string): DocBlock[] {
  const text = readPage(page);
  return [...text.matchAll(BLOCK)].map((block) => {
    const [, language, info = '', body = ''] = block;
    const notRun = /^ not-run: (.*)$/.exec(info)?.[1]?.trim() || null;
    const isOdd = language !== 'sh' || (info.trim() !== '' && notRun === null);
    return {
      page,
      line: text.slice(0, block.index).split('\n').length,
      notRun,
      badInfo: isOdd ? `${language}${info}` : null,
      commands: commandsOf(body),
    };
  });
}

/** A command for each line, with its continuation lines and without comments. */
function commandsOf(body: string): string[] {
  return body
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s+)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** The programs that a command starts: the first word of each of its parts. */
export function programsOf(command: string): string[] {
  return command
    .replaceAll(/'[^']*'|"[^"]*"/g, '_')
    .split(/&&|\|\||[|;()]/)
    .map((part) => part.trim().split(/\s+/))
    .map((words) => words.filter((word) => !/^\w+=/.test(word)))
    .flatMap(([first, second]) => (first === 'npx' && second ? [`npx ${second}`] : [first]))
    .filter((program): program is string => program !== undefined && program !== '');
}

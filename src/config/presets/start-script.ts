/** The `start` script of package.json, read as people write it. Pure. */

/** A start script, read: the main module and all that is given to Node with it. */
export interface StartScript {
  /** The main module as it is written, for instance `./bin/www`, `server` or `.`. */
  main: string;
  /** Flags of Node itself, without those that only developers need. */
  nodeArgs: string[];
  /** The words after the main module. */
  args: string[];
  /** Assignments before the command. */
  env: Record<string, string>;
  /** Files with variables. The first that names one wins; Node's own rule is that the last one does. */
  envFiles: string[];
  /** The commands before it, for instance `prisma migrate deploy`; `null` when the server is all of it. */
  before: string | null;
}

/** Flags whose value may be the next word. */
const WITH_VALUE =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|--env-file-if-exists|--title|--icu-data-dir)$/;

/** A debugger or a watcher in each of several processes is nobody's wish in production. */
const FOR_DEVELOPERS = /^--(watch|inspect)/;

/** Node does something else than to run a file. */
const NO_FILE =
  /^(-e|--eval|-p|--print|-c|--check|--test|--run|-i|--interactive|-h|-v|--version)(=|$)/;

/** @returns `null` when what runs in the end is not Node with a file */
export function parseStartScript(script: string): StartScript | null {
  const commands = splitCommands(script);
  const words = commands.at(-1);
  if (!words) return null;
  const env: Record<string, string> = {};
  const envFiles: string[] = [];
  const nodeArgs: string[] = [];
  for (;;) {
    const word = words.shift();
    if (word === undefined) return null;
    const [, name, value] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    if (name !== undefined) env[name] = value ?? '';
    else if (/^(exec|env|npx|cross-env|cross-env-shell)$/.test(word)) continue;
    else if (/^(dotenv|dotenvx|env-cmd)$/.test(word)) envFiles.push(...takeEnvFiles(words));
    else if (word === 'tsx') nodeArgs.push('--import', 'tsx');
    else if (!/^(node|nodejs)$/.test(word)) return null;
    if (word === 'tsx' || /^(node|nodejs)$/.test(word)) break;
  }
  const own = takeNodeArgs(words);
  if (own === null) return null;
  const main = words.shift();
  if (main === undefined) return null;
  const before = commands.slice(0, -1).map((command) => command.join(' '));
  return {
    main,
    nodeArgs: [...nodeArgs, ...own.flags],
    args: words,
    env,
    envFiles: [...own.envFiles, ...envFiles],
    before: before.length > 0 ? before.join(' && ') : null,
  };
}

function takeNodeArgs(words: string[]): { flags: string[]; envFiles: string[] } | null {
  const flags: string[] = [];
  const envFiles: string[] = [];
  while (words[0]?.startsWith('-')) {
    const flag = words.shift() as string;
    if (flag === '--') break;
    if (NO_FILE.test(flag)) return null;
    const value = WITH_VALUE.test(flag) ? words.shift() : undefined;
    const [, file] = /^--env-file(?:-if-exists)?(?:=(.*))?$/.exec(flag) ?? [];
    if (flag.startsWith('--env-file')) envFiles.unshift(file ?? value ?? '.env');
    else if (/^(-r|--require|--import)$/.test(flag) && value === 'dotenv/config') {
      envFiles.push('.env');
    } else if (!FOR_DEVELOPERS.test(flag))
      flags.push(flag, ...(value === undefined ? [] : [value]));
  }
  return { flags, envFiles };
}

/** `dotenv -e a.env -- node …`, `dotenvx run -f a.env -- node …`, `env-cmd -f a.env node …` */
function takeEnvFiles(words: string[]): string[] {
  const files: string[] = [];
  while (words[0] === 'run' || words[0]?.startsWith('-')) {
    const word = words.shift();
    if (word === '--') break;
    if (/^(-e|-f|--env-file)$/.test(word ?? '')) files.push(words.shift() ?? '.env');
  }
  return files.length > 0 ? files : ['.env'];
}

/** Words of each command, with quotes taken off as a shell does; what follows a `#` or a pipe is not looked at. */
function splitCommands(script: string): string[][] {
  const commands: string[][] = [[]];
  const pattern = /(&&|\|\||;)|((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\;&|])+)/gs;
  for (const [, separator, word] of script.matchAll(pattern)) {
    if (separator !== undefined) commands.push([]);
    else commands.at(-1)?.push(unquoted(word as string));
  }
  return commands.filter((words) => words.length > 0);
}

function unquoted(word: string): string {
  return word.replaceAll(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs,
    (_all, double, single, escaped) =>
      double !== undefined ? double.replaceAll(/\\(["\\$`])/g, '$1') : (single ?? escaped),
  );
}

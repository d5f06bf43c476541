import type { Command, Option } from 'commander';
import { SlotsError } from '../errors.ts';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import type { CompletedCommand, CompletedOption, CompletionModel } from './completion/model.ts';
import { zshScript } from './completion/zsh.ts';
import { isHidden } from './help.ts';

const SCRIPTS: Record<string, (model: CompletionModel) => string> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export const SHELLS = Object.keys(SCRIPTS);

/** `slots completion <shell>`: a script for the shell to read, made from the commands as they are. */
export function completion(program: Command, shell: string): void {
  const script = SCRIPTS[shell];
  if (!script) throw new SlotsError('USAGE', `there is no completion for ${shell}`);
  process.stdout.write(script(completionModel(program)));
}

export function completionModel(program: Command): CompletionModel {
  const commands = program.commands.filter((command) => !isHidden(command));
  return {
    options: optionsOf(program),
    commands: commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      options: optionsOf(command, ...command.commands),
      words: wordsOf(command),
    })),
  };
}

/** Of a command and of those below it: a shell completes them without asking which it is. */
function optionsOf(...commands: Command[]): CompletedOption[] {
  const help = { short: '-h', long: '--help', description: 'show the help' };
  const shown = commands.flatMap(({ options }) => options).filter(({ hidden }) => !hidden);
  const own = shown.map(({ short, long, description, required, flags }: Option) => ({
    short: short ?? null,
    long: long ?? '',
    description,
    takesValue: required,
    takesFolder: flags.includes('<folder>'),
  }));
  return [...own, { ...help, takesValue: false, takesFolder: false }];
}

function wordsOf({ commands, registeredArguments }: Command): CompletedCommand['words'] {
  if (commands.length > 0) return commands.map((command) => command.name());
  const [argument] = registeredArguments;
  if (argument?.name() === 'release') return 'releases';
  return argument?.argChoices ?? [];
}

import type { CompletedCommand, CompletedOption, CompletionModel } from './model.ts';

export function fishScript({ commands, options }: CompletionModel): string {
  const names = commands.map(({ name }) => name).join(' ');
  const none = `-n 'not __fish_seen_subcommand_from ${names}'`;
  return [
    '# fish completion for slots',
    'complete -c slots -f',
    ...options.map((option) => `complete -c slots ${none} ${flag(option)}`),
    ...commands.map(
      ({ name, description }) => `complete -c slots ${none} -a ${name} -d ${quote(description)}`,
    ),
    ...commands.flatMap(forCommand),
    '',
  ].join('\n');
}

function forCommand({ name, options, words }: CompletedCommand): string[] {
  const here = `complete -c slots -n '__fish_seen_subcommand_from ${name}'`;
  const lines = options.map((option) => `${here} ${flag(option)}`);
  if (words === 'releases') return [...lines, `${here} -a '(slots _releases 2>/dev/null)'`];
  return words.length > 0 ? [...lines, `${here} -a '${words.join(' ')}'`] : lines;
}

function flag({ short, long, description, takesValue, takesFolder }: CompletedOption): string {
  const parts = [`-l ${long.replace(/^--/, '')}`, `-d ${quote(description)}`];
  if (short) parts.unshift(`-s ${short.slice(1)}`);
  if (takesValue) parts.push(takesFolder ? "-r -a '(__fish_complete_directories)'" : '-x');
  return parts.join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

import type { CompletedCommand, CompletedOption, CompletionModel } from './model.ts';

export function zshScript({ commands, options }: CompletionModel): string {
  const list = commands.map((command) => `    ${quote(describe(command))}`).join('\n');
  return `#compdef slots
_slots() {
  local -a commands
  local curcontext=$curcontext state line
  typeset -A opt_args
  commands=(
${list}
  )
  _arguments -C \\
${options.map(argument).join('\n')}
    '1: :->command' \\
    '*:: :->rest' && return
  case $state in
    command) _describe -t commands 'slots command' commands ;;
    rest)
      # The command's own _arguments fills opt_args anew.
      local root=\${opt_args[-C]:-\${opt_args[--root]}}
      case $words[1] in
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
}

_slots_releases() {
  local -a releases
  releases=(\${(f)"$(slots \${root:+-C} \${root:+$root} _releases 2>/dev/null)"})
  compadd -a releases
}

if [ "$funcstack[1]" = "_slots" ]; then _slots "$@"; else compdef _slots slots; fi
`;
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const rest = positional(words);
  const parts = [...options.map(argument), ...(rest ? [`    ${quote(rest)} \\`] : [])];
  const last = parts.pop()?.replace(/ \\$/, '') ?? '';
  return [`        ${name}) _arguments \\`, ...parts, last, '          ;;'].join('\n');
}

function positional(words: CompletedCommand['words']): string | null {
  if (words === 'releases') return '1:release:_slots_releases';
  return words.length > 0 ? `1: :(${words.join(' ')})` : null;
}

function argument({ short, long, description, takesValue, takesFolder }: CompletedOption): string {
  const value = takesFolder ? ':folder:_files -/' : ':value: ';
  const text = `[${description.replaceAll(/[[\]:]/g, '\\$&')}]${takesValue ? value : ''}`;
  if (!short) return `    ${quote(long + text)} \\`;
  return `    '(${short} ${long})'{${short},${long}}${quote(text)} \\`;
}

function describe({ name, description }: CompletedCommand): string {
  return `${name}:${description.replaceAll(':', '\\:')}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

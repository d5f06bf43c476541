import type { CompletedCommand, CompletedOption, CompletionModel } from './model.ts';

/** Works in bash 3.2 too, which macOS has, and without the bash-completion package. */
export function bashScript({ commands, options }: CompletionModel): string {
  const cases = commands.map(commandCase).join('\n');
  return `# bash completion for slots
_slots() {
  local word=\${COMP_WORDS[COMP_CWORD]} command='' root='' words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -C | --root)
        i=$((i + 1))
        root=\${COMP_WORDS[i]}
        ;;
      -*) ;;
      *)
        command=\${COMP_WORDS[i]}
        break
        ;;
    esac
  done
  case \${COMP_WORDS[COMP_CWORD - 1]} in
    -C | --root)
      COMPREPLY=($(compgen -d -- "$word"))
      return
      ;;
  esac
  case $command in
    '') words='${commands.map(({ name }) => name).join(' ')} ${flagsOf(options)}' ;;
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _slots slots
`;
}

function commandCase({ name, options, words }: CompletedCommand): string {
  const flags = flagsOf(options);
  const fixed = Array.isArray(words) ? [...words, flags].join(' ') : flags;
  if (words !== 'releases') return `    ${name}) words='${fixed}' ;;`;
  return `    ${name}) words="$(slots \${root:+-C "$root"} _releases 2>/dev/null) ${flags}" ;;`;
}

function flagsOf(options: CompletedOption[]): string {
  return options.flatMap(({ short, long }) => (short ? [short, long] : [long])).join(' ');
}

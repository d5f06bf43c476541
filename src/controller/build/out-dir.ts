const PLACEHOLDER = '{outDir}';

/** The folder as a shell reads it, by the quotes that `{outDir}` stands in: none, double or single ones. */
const FOR_SHELL = { '': '"$SLOTS_OUT_DIR"', '"': `\${SLOTS_OUT_DIR}`, "'": `'"$SLOTS_OUT_DIR"'` };

/** A string is the shell's to read; an array is passed on word by word, whatever is in it. */
export function commandOf(build: string | string[], outDir: string) {
  if (typeof build === 'string') return { file: forShell(build), args: [], shell: true };
  const [file = '', ...args] = build.map((word) => word.replaceAll(PLACEHOLDER, outDir));
  return { file, args, shell: false };
}

/** The folder goes in by its variable, since its path may have anything in it that means something to a shell. */
function forShell(command: string): string {
  let quote: keyof typeof FOR_SHELL = '';
  return command.replaceAll(/\{outDir\}|\\[\\"']|["']/g, (found) => {
    if (found === PLACEHOLDER) return FOR_SHELL[quote];
    if (found.startsWith('\\')) {
      // Between single quotes a backslash is nothing special, so that the quote after it ends them.
      if (quote === "'" && found === "\\'") quote = '';
    } else if (quote === '') quote = found as '"' | "'";
    else if (quote === found) quote = '';
    return found;
  });
}

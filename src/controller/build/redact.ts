/** Names of variables that hold secrets wherever they come from. */
const SECRET_NAME =
  /SECRET|TOKEN|PASSW|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE|CREDENTIAL|ENCRYPTION_KEY|ASTRO_KEY|DSN$|DATABASE_URL|_AUTH$/i;

/** A shorter value says little, and hiding it would tear words apart: `true`, `3000`, `debug`. */
const MIN_CHARS = 6;

/** One line of a value of several, for instance of a key in PEM; a shorter one can be in any text. */
const MIN_LINE_CHARS = 16;

/** Values that are no secret, and whose absence would only confuse. */
const PUBLIC = /^(NODE_ENV|HOST|PORT|SLOTS_\w+)$/;

export type Redact = (text: string) => string;

/**
 * Puts a variable's name where its value was. A build or a site that fails likes to print what it was given,
 * and its output ends up in `status`, in the history and in logs.
 *
 * @param configured the config's `env`: all of it counts as secret
 * @param inherited the environment around it: only what is called like a secret does
 */
export function createRedactor(
  configured: Record<string, string>,
  inherited: NodeJS.ProcessEnv,
): Redact {
  const names = new Map<string, string>();
  const add = (name: string, value: string) => {
    if (PUBLIC.test(name)) return;
    if (value.length >= MIN_CHARS) names.set(value, name);
    if (!value.includes('\n')) return;
    for (const line of value.split('\n')) if (line.length >= MIN_LINE_CHARS) names.set(line, name);
  };
  for (const [name, value] of Object.entries(inherited)) {
    if (value !== undefined && SECRET_NAME.test(name)) add(name, value);
  }
  for (const [name, value] of Object.entries(configured)) add(name, value);
  if (names.size === 0) return (text) => text;
  // The longest first: one value may be the beginning of another.
  const values = [...names.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(values.map(escapePattern).join('|'), 'g');
  return (text) => text.replace(pattern, (value) => `[${names.get(value)}]`);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import type { SitePaths } from './paths.ts';

/**
 * Keys that a framework makes anew for each build where nobody gives it one, so that a page of one release could not call
 * the server of the next: Astro's server islands, as `createKey` of Astro makes it, and Next's server actions.
 */
export const SHARED_KEYS = ['ASTRO_KEY', 'NEXT_SERVER_ACTIONS_ENCRYPTION_KEY'] as const;

/** Tells a site's process to use none of them, by the value `off`. */
export const SHARED_KEYS_VARIABLE = 'SLOTS_SHARED_KEYS';

export type SharedKeys = Partial<Record<(typeof SHARED_KEYS)[number], string>>;

/** Of a key for AES-GCM, in bytes; somebody may have put one of their own into the file. */
const KEY_BYTES = [16, 24, 32];

/** Those that there are; none of a file that is missing or cannot be read. */
export function readSharedKeys(paths: SitePaths): SharedKeys {
  try {
    return parseKeys(readFileSync(paths.secrets, 'utf8'));
  } catch {
    return {};
  }
}

/**
 * All of them, in `slots/secrets.json` for its owner to read only. They are made once.
 *
 * @throws Error of the system when they cannot be written
 */
export async function sharedKeys(paths: SitePaths): Promise<Required<SharedKeys>> {
  const known = parseKeys(await readFile(paths.secrets, 'utf8').catch(() => ''));
  const keys = Object.fromEntries(
    SHARED_KEYS.map((name) => [name, known[name] ?? randomBytes(32).toString('base64')]),
  ) as Required<SharedKeys>;
  if (SHARED_KEYS.every((name) => known[name] !== undefined)) {
    await chmod(paths.secrets, 0o600);
    return keys;
  }
  await mkdir(paths.slots, { recursive: true });
  // Loaded here, since a process of a slot reads keys only and loads no package.
  const { default: writeFileAtomic } = await import('write-file-atomic');
  await writeFileAtomic(paths.secrets, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return keys;
}

function parseKeys(text: string): SharedKeys {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof found !== 'object' || found === null) return {};
  const values = found as Record<string, unknown>;
  return Object.fromEntries(
    SHARED_KEYS.map((name) => [name, values[name]]).filter(([, value]) => isKey(value)),
  );
}

function isKey(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const bytes = Buffer.from(value, 'base64');
  return KEY_BYTES.includes(bytes.length) && bytes.toString('base64') === value;
}

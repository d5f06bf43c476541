import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
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

/**
 * All of them, in `slots/secrets.json` for its owner to read only. They are made once.
 *
 * @throws Error of the system when they cannot be written
 */
export async function sharedKeys(paths: SitePaths): Promise<Required<SharedKeys>> {
  const known = readSharedKeys(paths);
  if (SHARED_KEYS.every((name) => known[name] !== undefined)) {
    await chmod(paths.secrets, 0o600);
    return known as Required<SharedKeys>;
  }
  return changeSecrets(paths, (secrets) => {
    const found = keysIn(secrets);
    const keys = Object.fromEntries(
      SHARED_KEYS.map((name) => [name, found[name] ?? randomBytes(32).toString('base64')]),
    ) as Required<SharedKeys>;
    Object.assign(secrets, keys);
    return keys;
  });
}

/** All that is in the file, by name; nothing of one that is missing or cannot be read. */
export function readSecrets(paths: SitePaths): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(readFileSync(paths.secrets, 'utf8'));
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? { ...found } : {};
  } catch {
    return {};
  }
}

/**
 * Changes what is in the file; what `change` does not touch stays. Builds and commands do so one after the other.
 *
 * @returns what `change` returns
 * @throws Error of the system when it cannot be written
 */
export async function changeSecrets<T>(
  paths: SitePaths,
  change: (secrets: Record<string, unknown>) => T,
): Promise<T> {
  // Loaded here, since a process of a slot reads keys only and loads no package.
  const [{ default: writeFileAtomic }, { withFileLock }] = await Promise.all([
    import('write-file-atomic'),
    import('../file-lock.ts'),
  ]);
  return withFileLock(`${paths.secrets}.lock`, async () => {
    const secrets = readSecrets(paths);
    const result = change(secrets);
    await writeFileAtomic(paths.secrets, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    return result;
  });
}

/** Those that there are; none of a file that is missing or cannot be read. */
export function readSharedKeys(paths: SitePaths): SharedKeys {
  return keysIn(readSecrets(paths));
}

function keysIn(secrets: Record<string, unknown>): SharedKeys {
  return Object.fromEntries(
    SHARED_KEYS.map((name) => [name, secrets[name]]).filter(([, value]) => isSharedKey(value)),
  );
}

/** Whether it is one that a framework takes. */
export function isSharedKey(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const bytes = Buffer.from(value, 'base64');
  return KEY_BYTES.includes(bytes.length) && bytes.toString('base64') === value;
}

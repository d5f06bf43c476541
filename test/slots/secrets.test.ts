import { webcrypto } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readSharedKeys, SHARED_KEYS, sharedKeys } from '../../src/slots/secrets.ts';
import { tempSite } from '../support/temp-site.ts';

test('the keys are made once, for their owner to read only, and in the form that the frameworks take', async () => {
  const paths = await tempSite();
  const keys = await sharedKeys(paths);
  expect(Object.keys(keys)).toEqual([...SHARED_KEYS]);
  for (const key of Object.values(keys)) {
    const bytes = Buffer.from(key, 'base64');
    expect(bytes).toHaveLength(32);
    // As Astro's decodeKey does it.
    await webcrypto.subtle.importKey('raw', bytes, { name: 'AES-GCM' }, true, ['encrypt']);
  }
  expect(new Set(Object.values(keys)).size).toBe(SHARED_KEYS.length);
  expect((await stat(paths.secrets)).mode & 0o777).toBe(0o600);
  expect(await sharedKeys(paths)).toEqual(keys);
  expect(readSharedKeys(paths)).toEqual(keys);
});

test('a file that others may read is closed to them again', async () => {
  const paths = await tempSite();
  await sharedKeys(paths);
  await chmod(paths.secrets, 0o644);
  await sharedKeys(paths);
  expect((await stat(paths.secrets)).mode & 0o777).toBe(0o600);
});

test('a good key of a damaged file stays, and what is none is made anew', async () => {
  const paths = await tempSite();
  const { ASTRO_KEY } = await sharedKeys(paths);
  for (const other of ['', 'no key', 42, 'AAAA']) {
    await writeFile(
      paths.secrets,
      JSON.stringify({ ASTRO_KEY, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: other }),
    );
    expect(readSharedKeys(paths)).toEqual({ ASTRO_KEY });
    const keys = await sharedKeys(paths);
    expect(keys.ASTRO_KEY).toBe(ASTRO_KEY);
    expect(keys.NEXT_SERVER_ACTIONS_ENCRYPTION_KEY).toHaveLength(44);
  }
});

test.each(['', 'null', '[]', '{"ASTRO_KEY"'])(
  '%j in the file is no key, and is replaced',
  async (text) => {
    const paths = await tempSite();
    await sharedKeys(paths);
    await writeFile(paths.secrets, text);
    expect(readSharedKeys(paths)).toEqual({});
    const keys = await sharedKeys(paths);
    expect(JSON.parse(await readFile(paths.secrets, 'utf8'))).toEqual(keys);
  },
);

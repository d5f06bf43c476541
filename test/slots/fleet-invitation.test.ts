import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  type Invitation,
  join,
  readInvitation,
  writeInvitation,
} from '../../src/slots/fleet-invitation.ts';
import { makeFleetKey, readFleetKey } from '../../src/slots/fleet-key.ts';
import { readSecrets, readSharedKeys, sharedKeys } from '../../src/slots/secrets.ts';
import { putFile, tempSite } from '../support/temp-site.ts';

const SHARED = {
  ASTRO_KEY: randomBytes(32).toString('base64'),
  NEXT_SERVER_ACTIONS_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
};
const INVITATION: Invitation = { group: 'blog', seed: randomBytes(32), shared: SHARED };

test('an invitation is one word that carries the keys', () => {
  const token = writeInvitation(INVITATION);
  expect(token).toMatch(/^slots-fleet-1_[\w-]+$/);
  expect(readInvitation(`  ${token}\n`)).toEqual(INVITATION);
  const bare = { ...INVITATION, shared: {} };
  expect(readInvitation(writeInvitation(bare))).toEqual(bare);
});

test('an invitation that lost or changed a character is refused', () => {
  const token = writeInvitation(INVITATION);
  for (let at = 14; at < token.length; at += 5) {
    const other = token[at] === 'A' ? 'B' : 'A';
    const wrong = [
      token.slice(0, at) + token.slice(at + 1),
      token.slice(0, at) + other + token.slice(at + 1),
      token.slice(0, at),
    ];
    for (const word of wrong) {
      expect(() => readInvitation(word)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  }
});

test.each(['', 'blog', 'slots-fleet-1_', 'slots-fleet-2_AAAA'])('%j is no invitation', (word) => {
  expect(() => readInvitation(word)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('no invitation') }),
  );
});

test('a machine that joins has the keys, for its owner to read only, and keeps the others that it had', async () => {
  const paths = await tempSite();
  await putFile(
    paths.slots,
    'secrets.json',
    JSON.stringify({ OTHER: 'kept', fleet: { shop: 'x' } }),
  );
  expect(await join(paths, INVITATION)).toBe('joined');
  expect(readFleetKey(paths, 'blog')?.seed.equals(INVITATION.seed)).toBe(true);
  expect(readSharedKeys(paths)).toEqual(SHARED);
  expect(readSecrets(paths)).toMatchObject({ OTHER: 'kept', fleet: { shop: 'x' } });
  expect((await stat(paths.secrets)).mode & 0o777).toBe(0o600);
  expect(await join(paths, INVITATION)).toBe('was in it');
});

test('the shared keys of the group take the place of those that a machine has made for itself', async () => {
  const paths = await tempSite();
  await sharedKeys(paths);
  await join(paths, INVITATION);
  expect(await sharedKeys(paths)).toEqual(SHARED);
});

test('a machine that has another key for the group is left alone, unless it is forced', async () => {
  const paths = await tempSite();
  const own = await makeFleetKey(paths, 'blog');
  await expect(join(paths, INVITATION)).rejects.toMatchObject({
    code: 'FLEET_OTHER_KEY',
    message: expect.stringContaining(own.fingerprint),
  });
  expect(readFleetKey(paths, 'blog')).toEqual(own);
  expect(readSharedKeys(paths)).toEqual({});
  expect(await join(paths, INVITATION, { force: true })).toBe('replaced');
  expect(readFleetKey(paths, 'blog')?.seed.equals(INVITATION.seed)).toBe(true);
});

test('a group has one key on a machine, which a build of the site leaves in its place', async () => {
  const paths = await tempSite();
  const [one, two] = await Promise.all([makeFleetKey(paths, 'blog'), makeFleetKey(paths, 'blog')]);
  expect(one).toEqual(two);
  await sharedKeys(paths);
  expect(readFleetKey(paths, 'blog')).toEqual(one);
  expect(readFleetKey(paths, 'shop')).toBeNull();
});

test('a machine whose secrets are missing, damaged or of an earlier version has no key for any group', async () => {
  const paths = await tempSite();
  expect(readFleetKey(paths, 'blog')).toBeNull();
  for (const text of [
    '',
    '[]',
    'null',
    '{"fleet":1}',
    '{"fleet":{"blog":"AAAA"}}',
    '{"ASTRO_KEY":"x"}',
  ]) {
    await putFile(paths.slots, 'secrets.json', text);
    expect(readFleetKey(paths, 'blog')).toBeNull();
  }
  await writeFile(paths.secrets, '{"fleet":{"constructor":1}}');
  expect(readFleetKey(paths, 'constructor')).toBeNull();
  expect(readFleetKey(paths, 'toString')).toBeNull();
});

import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/slots/archive/manifest.ts';
import {
  openManifest,
  openSource,
  signManifest,
  signSource,
} from '../../../src/slots/archive/signature.ts';
import { fleetKeyOf, signBytes } from '../../../src/slots/fleet-key.ts';
import { releaseIdOf } from '../../support/temp-site.ts';

const KEY = fleetKeyOf(randomBytes(32));
const OTHER = fleetKeyOf(randomBytes(32));
const ID = releaseIdOf(1);

const MANIFEST: Manifest = {
  version: 1,
  id: ID,
  sha256: 'a'.repeat(64),
  bytes: 1,
  unpackedBytes: 1,
  entries: 1,
  releaseSha256: 'b'.repeat(64),
  deps: null,
  needs: null,
};

function refused(found: unknown, message: string, key = KEY as typeof KEY | null) {
  expect(() => openManifest(found, key)).toThrow(
    expect.objectContaining({ code: 'SIGNATURE_BAD', message }),
  );
}

test('a manifest that a machine of the group has signed is taken, and survives a trip as JSON', () => {
  const signed = signManifest(MANIFEST, KEY);
  expect(openManifest(JSON.parse(JSON.stringify(signed)), KEY)).toEqual(MANIFEST);
});

test('a manifest in which anything was changed after it was signed is refused', () => {
  const signed = signManifest(MANIFEST, KEY);
  const manifest = signed.manifest.replace('"bytes":1', '"bytes":2');
  refused({ ...signed, manifest }, `the signature of release ${ID} is wrong`);
  refused(
    { ...signed, manifest: `${signed.manifest} ` },
    `the signature of release ${ID} is wrong`,
  );
});

test('a manifest without a signature, or with one that is none, is refused', () => {
  const { signature, ...unsigned } = signManifest(MANIFEST, KEY);
  refused(unsigned, `release ${ID} is not signed`);
  for (const wrong of ['', 'AAAA', 'x', signature?.slice(2)]) {
    refused({ ...unsigned, signature: wrong }, `the signature of release ${ID} is wrong`);
  }
});

test('a manifest that was signed with another key is refused, and both keys are named', () => {
  refused(
    signManifest(MANIFEST, OTHER),
    `release ${ID} was signed with another key (${OTHER.fingerprint}) than this machine's (${KEY.fingerprint})`,
  );
  const posing = { ...signManifest(MANIFEST, OTHER), key: KEY.fingerprint };
  refused(posing, `the signature of release ${ID} is wrong`);
  const noisy = { ...signManifest(MANIFEST, OTHER), key: '\u001b[31mred' };
  refused(
    noisy,
    `release ${ID} was signed with another key (unreadable) than this machine's (${KEY.fingerprint})`,
  );
});

test('a machine without a key takes no release at all', () => {
  refused(
    signManifest(MANIFEST, KEY),
    `this machine has no key to verify release ${ID} with`,
    null,
  );
});

test.each([[null], ['text'], [{}], [{ manifest: 1 }], [[]]])('%j is no manifest', (found) => {
  refused(found, 'the manifest of a release is none');
});

test('a signature of something else by the same key is none of a release', () => {
  const manifest = JSON.stringify(MANIFEST);
  const signature = signBytes(KEY, Buffer.from(manifest)).toString('base64');
  refused({ manifest, signature }, `the signature of release ${ID} is wrong`);
});

test('a signed manifest of another format is refused as one, and not as a forgery', () => {
  const signed = signManifest({ ...MANIFEST, version: 2 as never }, KEY);
  expect(() => openManifest(signed, KEY)).toThrow(expect.objectContaining({ code: 'ARCHIVE_BAD' }));
});

test('a source is taken from a machine of the group alone, and in a group without a key from anybody', () => {
  const text = '{"release":"r1","files":{}}';
  const name = 'the source of r1';
  const bad = (message: string) => expect.objectContaining({ code: 'SIGNATURE_BAD', message });
  expect(openSource(signSource(text, KEY), KEY, name)).toBe(text);
  expect(openSource(signSource(text, null), null, name)).toBe(text);
  expect(() => openSource(signSource(text, null), KEY, name)).toThrow(
    bad('the source of r1 is not signed'),
  );
  expect(() => openSource(signSource(text, KEY), null, name)).toThrow(
    bad('this machine has no key to verify the source of r1 with'),
  );
  expect(() => openSource(signSource(text, OTHER), KEY, name)).toThrow(/another key/);
  const changed = signSource(text, KEY).replace('r1', 'r2');
  expect(() => openSource(changed, KEY, name)).toThrow(
    bad('the signature of the source of r1 is wrong'),
  );
});

test('the signature of a release is none of a source', () => {
  const { manifest, ...signature } = signManifest(MANIFEST, KEY);
  const posing = JSON.stringify({ source: manifest, ...signature });
  expect(() => openSource(posing, KEY, 'the source')).toThrow(/signature of the source is wrong/);
});

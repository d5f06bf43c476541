import { z } from 'zod';
import { messageOf, SlotsError } from '../../errors.ts';
import { type FleetKey, isSigned, signBytes } from '../fleet-key.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/** Stands before what is signed, so that a signature of something else can never be taken for one of a release. */
const CONTEXT = 'slots release 1\n';

/** What machines tell each other of an archive. */
export const signedManifestSchema = z.object({
  /** The manifest's JSON. It is signed as it stands here: nobody has to write it anew, byte by byte, to verify it. */
  manifest: z.string(),
  /** Ed25519 over the context and the manifest, base64. Not there: nobody has signed. */
  signature: z.string().optional(),
  /** Of the key that it was signed with, to tell a wrong key from changed bytes. */
  key: z.string().optional(),
});

export type SignedManifest = z.output<typeof signedManifestSchema>;

export function signManifest(manifest: Manifest, key: FleetKey): SignedManifest {
  const text = JSON.stringify(manifest);
  return { manifest: text, ...signed(CONTEXT, text, key) };
}

/**
 * The manifest, once it is certain that a machine of the group has written it.
 *
 * @param found as it was received
 * @throws SlotsError `SIGNATURE_BAD` when the signature is wrong or missing, or the machine has no key; `ARCHIVE_BAD` when
 *   this version does not understand what was signed
 */
export function openManifest(found: unknown, key: FleetKey | null): Manifest {
  const parsed = signedManifestSchema.safeParse(found);
  if (!parsed.success) throw untrusted('the manifest of a release is none');
  const { manifest: text } = parsed.data;
  const name = nameIn(text);
  verify(CONTEXT, text, parsed.data, key, name);
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SlotsError('ARCHIVE_BAD', `this version of slots does not understand ${name}`, {
      hint: 'all machines of a fleet run one version of slots',
      cause: messageOf(cause),
    });
  }
}

const SOURCE_CONTEXT = 'slots source 1\n';

/** What machines tell each other of the files that a release was built from: another machine builds what it takes over. */
export const signedSourceSchema = z.object({
  source: z.string(),
  signature: z.string().optional(),
  key: z.string().optional(),
});

/** @param key `null`: the group has none, and trusts whoever can write to the store */
export function signSource(source: string, key: FleetKey | null): string {
  const sealed = { source, ...(key && signed(SOURCE_CONTEXT, source, key)) };
  return JSON.stringify(sealed satisfies z.output<typeof signedSourceSchema>);
}

/**
 * @param text as it was received
 * @param name for a message
 * @throws SlotsError `SIGNATURE_BAD`; an error of the parsing
 */
export function openSource(text: string, key: FleetKey | null, name: string): string {
  const found = signedSourceSchema.parse(JSON.parse(text));
  const isOpen = key === null && found.signature === undefined;
  if (!isOpen) verify(SOURCE_CONTEXT, found.source, found, key, name);
  return found.source;
}

interface Signature {
  signature?: string | undefined;
  key?: string | undefined;
}

function signed(context: string, text: string, key: FleetKey): Required<Signature> {
  const signature = signBytes(key, Buffer.from(context + text)).toString('base64');
  return { signature, key: key.fingerprint };
}

function verify(
  context: string,
  text: string,
  { signature, key: fingerprint }: Signature,
  key: FleetKey | null,
  name: string,
): void {
  if (key === null) throw untrusted(`this machine has no key to verify ${name} with`);
  if (signature === undefined) throw untrusted(`${name} is not signed`);
  if (isSigned(key, Buffer.from(context + text), Buffer.from(signature, 'base64'))) return;
  throw untrusted(
    fingerprint === undefined || fingerprint === key.fingerprint
      ? `the signature of ${name} is wrong`
      : `${name} was signed with another key (${printable(fingerprint)}) than this machine's (${key.fingerprint})`,
  );
}

/** For a message: nothing in it has been verified. */
function nameIn(text: string): string {
  const [id] = /r\d{8}T\d{6}-[0-9a-f]{6}/.exec(text) ?? [];
  return id === undefined ? 'a release' : `release ${id}`;
}

function printable(fingerprint: string): string {
  return /^[0-9a-f]{1,64}$/.test(fingerprint) ? fingerprint : 'unreadable';
}

function untrusted(message: string): SlotsError {
  return new SlotsError('SIGNATURE_BAD', message, {
    hint: 'run `slots fleet invite` on a machine that serves, and `slots fleet join` here; if that was done, find out who else writes to the fleet',
  });
}

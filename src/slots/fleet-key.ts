import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import type { SitePaths } from './paths.ts';
import { changeSecrets, readSecrets } from './secrets.ts';

/** Where secrets.json keeps the keys of groups: `{ "fleet": { "<group>": "<seed, base64>" } }`. */
const IN_SECRETS = 'fleet';

export const SEED_BYTES = 32;

/** RFC 8410 §7: what stands before the seed in a PKCS #8 key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key by which the machines of a group know each other's releases: each of them signs and verifies with it. */
export interface FleetKey {
  /** 32 bytes, from which the key pair is made (RFC 8032 §5.1.5). Whoever has it can publish to the group. */
  seed: Buffer;
  /** Names the key to people and in logs: the start of its public half's SHA-256. */
  fingerprint: string;
}

export function fleetKeyOf(seed: Buffer): FleetKey {
  const raw = publicKey(seed).export({ format: 'der', type: 'spki' });
  return { seed, fingerprint: createHash('sha256').update(raw).digest('hex').slice(0, 16) };
}

/** `null` when this machine has none for the group. */
export function readFleetKey(paths: SitePaths, group: string): FleetKey | null {
  const seed = parseSeed(keysIn(readSecrets(paths))[group]);
  return seed && fleetKeyOf(seed);
}

/**
 * The group's key, made if this machine has none. Only the group's first machine makes one: a second key would make two
 * groups of one.
 */
export function makeFleetKey(paths: SitePaths, group: string): Promise<FleetKey> {
  return changeSecrets(paths, (secrets) => {
    const keys = keysIn(secrets);
    const seed = parseSeed(keys[group]) ?? randomBytes(SEED_BYTES);
    secrets[IN_SECRETS] = { ...keys, [group]: seed.toString('base64') };
    return fleetKeyOf(seed);
  });
}

/** Puts a key into secrets.json's content, in the place of the group's if it has one. */
export function putFleetKey(secrets: Record<string, unknown>, group: string, seed: Buffer): void {
  secrets[IN_SECRETS] = { ...keysIn(secrets), [group]: seed.toString('base64') };
}

function keysIn(secrets: Record<string, unknown>): Record<string, unknown> {
  const keys = secrets[IN_SECRETS];
  return typeof keys === 'object' && keys !== null ? { ...keys } : {};
}

function parseSeed(value: unknown): Buffer | null {
  if (typeof value !== 'string') return null;
  const seed = Buffer.from(value, 'base64');
  return seed.length === SEED_BYTES ? seed : null;
}

/** Ed25519 (RFC 8032). */
export function signBytes({ seed }: FleetKey, bytes: Buffer): Buffer {
  return sign(null, bytes, privateKey(seed));
}

export function isSigned({ seed }: FleetKey, bytes: Buffer, signature: Buffer): boolean {
  return verify(null, bytes, publicKey(seed), signature);
}

function privateKey(seed: Buffer): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
}

function publicKey(seed: Buffer): KeyObject {
  return createPublicKey(privateKey(seed));
}

/** Certificates and credentials for a nats-server, made by the test that uses them. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';
import { generate } from 'selfsigned';
import { tempFolder } from './temp-folder.ts';

/** A CA, and a certificate of it for 127.0.0.1. */
export interface NatsTls {
  /** PEM file of the CA, for `NATS_CA`. */
  ca: string;
  /** The block of nats-server's config. */
  config: string;
}

export async function natsTls(): Promise<NatsTls> {
  const folder = await tempFolder();
  const options = { keyType: 'ec', algorithm: 'sha256' } as const;
  const ca = await generate([{ name: 'commonName', value: `CA ${randomUUID()}` }], {
    ...options,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const made = await generate([{ name: 'commonName', value: 'nats' }], {
    ...options,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  const files = {
    ca: join(folder, 'ca.pem'),
    cert: join(folder, 'cert.pem'),
    key: join(folder, 'key.pem'),
  };
  await writeFile(files.ca, ca.cert);
  await writeFile(files.cert, made.cert);
  await writeFile(files.key, made.private);
  const config = `tls { cert_file: "${files.cert}", key_file: "${files.key}" }`;
  return { ca: files.ca, config };
}

/** A server that knows its users by what an operator and an account have signed, as `nsc` makes it. */
export interface NatsOperator {
  config: string;
  /** A creds file for a new user of the account, for `NATS_CREDS`. */
  user(name: string): Promise<string>;
}

/** `-1`: as much as there is. */
const UNLIMITED = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
  mem_storage: -1,
  disk_storage: -1,
  streams: -1,
  consumer: -1,
};

export async function natsOperator(): Promise<NatsOperator> {
  const [operator, system, account] = [createOperator(), createAccount(), createAccount()];
  const accountToken = (key: KeyPair, limits: object) =>
    token(operator, key, 'account', { limits });
  const { mem_storage: _memory, disk_storage: _disk, ...withoutStore } = UNLIMITED;
  const config = [
    `operator: ${token(operator, operator, 'operator', {})}`,
    `system_account: ${system.getPublicKey()}`,
    'resolver: MEMORY',
    'resolver_preload: {',
    `  ${system.getPublicKey()}: ${accountToken(system, withoutStore)}`,
    `  ${account.getPublicKey()}: ${accountToken(account, UNLIMITED)}`,
    '}',
  ].join('\n');
  return {
    config,
    async user(name) {
      const user = createUser();
      const jwt = token(account, user, 'user', { subs: -1, data: -1, payload: -1 }, name);
      const file = join(await tempFolder(), `${name}.creds`);
      await writeFile(file, credsFile(jwt, new TextDecoder().decode(user.getSeed())));
      return file;
    },
  };
}

/** A JWT as NATS has them (its ADR-14): ed25519 by the issuer's nkey. */
function token(
  issuer: KeyPair,
  subject: KeyPair,
  type: 'operator' | 'account' | 'user',
  claims: object,
  name = `test ${type}`,
): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = {
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { ...claims, type, version: 2 },
  };
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(body)}`;
  const signature = issuer.sign(new TextEncoder().encode(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}

function credsFile(jwt: string, seed: string): string {
  return [
    '-----BEGIN NATS USER JWT-----',
    jwt,
    '------END NATS USER JWT------',
    '',
    '-----BEGIN USER NKEY SEED-----',
    seed,
    '------END USER NKEY SEED------',
    '',
  ].join('\n');
}

/** What the controller keeps in `slots/certs/`, beside the certificates (slots/certificates.ts). */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { messageOf } from '../../errors.ts';
import {
  type CertificateFacts,
  certificateFacts,
  certificateFile,
} from '../../slots/certificates.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { setAside } from '../../slots/set-aside.ts';
import type { Logger } from '../log.ts';
import {
  type AcmeState,
  acmeStateSchema,
  EMPTY_ACME_STATE,
  type HostRecord,
  NEW_HOST,
} from './state.ts';

export interface AcmeStore {
  /** What is known of a host; `NEW_HOST` of one that nothing is. */
  host(host: string): HostRecord;
  /** Resolves once it is on disk. */
  setHost(host: string, record: HostRecord): Promise<void>;
  /** The same for what is true whether or not it can be written: the disk may be full. */
  noteHost(host: string, record: HostRecord): Promise<void>;
  account(directory: string): AcmeState['accounts'][string] | null;
  setAccount(directory: string, account: AcmeState['accounts'][string] | null): Promise<void>;
  /** The account's key at this CA; a new one, made by `create` where there is none, belongs to no account yet. */
  accountKey(
    directory: string,
    create: () => Promise<string>,
  ): Promise<{ key: string; isNew: boolean }>;
  /** The key of the host's next certificate, made by `create` where there is none: an order must end with the key it began with. */
  nextKey(host: string, create: () => Promise<string>): Promise<string>;
  /** The certificate that is served and its PEM, or `null` when there is none that can be used. */
  certificate(host: string): Promise<{ pem: string; facts: CertificateFacts } | null>;
  setCertificate(host: string, chain: string, key: string): Promise<void>;
  dropNextKey(host: string): Promise<void>;
}

/** A file that cannot be used is set aside; then accounts are looked up by their keys, and orders begun anew. */
export async function openAcmeStore(paths: SitePaths, log: Logger): Promise<AcmeStore> {
  const file = join(paths.certs, 'state.json');
  let state = await readAcmeState(file, log);

  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(paths.certs, { recursive: true, mode: 0o700 });
    // A folder that somebody copied here may let others in.
    await chmod(paths.certs, 0o700);
    await writeFileAtomic(path, text, { mode: 0o600 });
  };
  const update = async (next: AcmeState): Promise<void> => {
    await write(file, `${JSON.stringify(next, null, 2)}\n`);
    state = next;
  };
  const keyIn = async (path: string, create: () => Promise<string>) => {
    const known = await readFile(path, 'utf8').catch(() => '');
    if (known.includes('PRIVATE KEY')) return { key: known, isNew: false };
    const key = await create();
    await write(path, key);
    return { key, isNew: true };
  };
  const nextKeyFile = (host: string) => join(paths.certs, `${host}.next.key`);

  return {
    host: (host) => state.hosts[host] ?? NEW_HOST,
    setHost: (host, record) => update({ ...state, hosts: { ...state.hosts, [host]: record } }),
    async noteHost(host, record) {
      state = { ...state, hosts: { ...state.hosts, [host]: record } };
      await update(state).catch((error) => {
        const message = `${file} cannot be written: ${messageOf(error)}`;
        log.error({ event: 'certificate.state-unwritable', error: messageOf(error) }, message);
      });
    },
    account: (directory) => state.accounts[directory] ?? null,
    setAccount(directory, account) {
      const { [directory]: _, ...others } = state.accounts;
      return update({ ...state, accounts: account ? { ...others, [directory]: account } : others });
    },
    accountKey(directory, create) {
      const id = createHash('sha256').update(directory).digest('hex').slice(0, 8);
      return keyIn(join(paths.certs, `account-${id}.key`), create);
    },
    nextKey: async (host, create) => (await keyIn(nextKeyFile(host), create)).key,
    async certificate(host) {
      try {
        const pem = await readFile(certificateFile(paths, host), 'utf8');
        return { pem, facts: certificateFacts(pem) };
      } catch {
        return null;
      }
    },
    async setCertificate(host, chain, key) {
      await write(certificateFile(paths, host), `${chain.trim()}\n${key.trim()}\n`);
    },
    dropNextKey: (host) => rm(nextKeyFile(host), { force: true }),
  };
}

async function readAcmeState(file: string, log: Logger): Promise<AcmeState> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return EMPTY_ACME_STATE;
  }
  try {
    return acmeStateSchema.parse(JSON.parse(text));
  } catch {
    const aside = await setAside(file, new Date()).catch((error) => messageOf(error));
    log.error({ event: 'certificate.state-set-aside', aside }, `${file} cannot be used: ${aside}`);
    return EMPTY_ACME_STATE;
  }
}

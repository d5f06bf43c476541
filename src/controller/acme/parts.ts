/** What the keeper of certificates works with. */
import type { AcmeConfig } from '../../config/tls-schema.ts';
import type { CertificateFacts } from '../../slots/certificates.ts';
import type { Logger } from '../log.ts';
import type { Ca } from './ca.ts';
import type { Challenges } from './proving.ts';
import type { AcmeStore } from './store.ts';

export interface KeeperParts {
  acme: AcmeConfig;
  /** That answers plain HTTP; `undefined` where none does. */
  httpPort: number | undefined;
  store: AcmeStore;
  challenges: Challenges;
  log: Logger;
  /** Loads what orders need, which is much and rarely needed. */
  loadCa(): Promise<CaModule>;
}

export interface CaModule {
  openCa(directory: string, account: { key: string; url: string | null }): Ca;
  createKey(): Promise<string>;
  renewalId(pem: string): string | null;
}

/** A certificate as it is on disk. */
export interface Held {
  pem: string;
  facts: CertificateFacts;
}

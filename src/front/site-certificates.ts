/** The certificates of one site of the front: files of its config, or those that its controller orders. */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { RegisteredSite } from '../config/registered-site.ts';
import {
  type CertificateFiles,
  followCertificate,
  readCertificate,
} from '../proxy/visitor/certificate.ts';
import { openCertificates } from '../proxy/visitor/certificates.ts';
import type { SitePaths } from '../slots/paths.ts';

export interface SiteCertificates {
  contextFor(host: string): SecureContext | undefined;
  /** Whether a CA has given one; files of the config are always there to be redirected to. */
  has(host?: string): boolean;
  /** Why there is none that visitors trust, or `null`. */
  problem(): string | null;
  end(): void;
}

const NONE: SiteCertificates = {
  contextFor: () => undefined,
  has: () => false,
  problem: () => null,
  end: () => {},
};

export async function openSiteCertificates(
  { config }: RegisteredSite,
  paths: SitePaths,
  log: Logger,
): Promise<SiteCertificates> {
  const { tls } = config.proxy;
  if (!tls) return NONE;
  if (!tls.acme) return fromFiles({ cert: tls.cert ?? '', key: tls.key ?? '' }, log);
  const { hosts } = tls.acme;
  const { contextFor, has, follow } = await openCertificates(paths, hosts, log);
  return {
    contextFor,
    has,
    problem() {
      const missing = hosts.filter((host) => !has(host));
      return missing.length > 0 ? `no certificate yet for ${missing.join(', ')}` : null;
    },
    end: follow({ setSecureContext: () => {} }),
  };
}

/** One that cannot be used is no reason to be without the site: it is taken as soon as it can be. */
function fromFiles(files: CertificateFiles, log: Logger): SiteCertificates {
  let context: SecureContext | undefined;
  let problem: string | null = null;
  const end = followCertificate(
    {
      setSecureContext(certificate) {
        context = createSecureContext(certificate);
        problem = null;
      },
    },
    files,
    log,
  );
  try {
    context = createSecureContext(readCertificate(files));
  } catch (error) {
    problem = (error as Error).message;
    log.error({ event: 'tls.bad-certificate', error: problem }, problem);
  }
  return { contextFor: () => context, has: () => true, problem: () => problem, end };
}

/** The certificates that the controller orders (`slots/certs/`): one for each host, chosen by the name that a visitor asks for. */
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { SlotsError } from '../../errors.ts';
import { certificateFile } from '../../slots/certificates.ts';
import type { SitePaths } from '../../slots/paths.ts';
import { type Certificate, followCertificate, readCertificate } from './certificate.ts';
import { selfSigned } from './placeholder.ts';

export interface Certificates {
  /** For visitors who name no host of the site, until the server is given a newer one. */
  standard: Certificate;
  /** `undefined` for a host that is not the site's. */
  contextFor(host: string): SecureContext | undefined;
  /** Whether a CA has given one: without a host, for any of them. */
  has(host?: string): boolean;
  /**
   * Takes newer ones up as they appear; connections that stand go on as they are.
   *
   * @returns ends it
   */
  follow(server: { setSecureContext(certificate: Certificate): void }): () => void;
}

/** A self-signed certificate stands in for each that is not there yet, or cannot be used. */
export async function openCertificates(
  paths: SitePaths,
  hosts: readonly string[],
  log: Logger,
  intervalMs?: number,
): Promise<Certificates> {
  const given = new Set<string>();
  const contexts = new Map<string, SecureContext>();
  const filesOf = (host: string) => {
    const file = certificateFile(paths, host);
    return { cert: file, key: file };
  };
  const take = (host: string, certificate: Certificate) => {
    contexts.set(host, createSecureContext(certificate));
    given.add(host);
  };

  let standard: Certificate | null = null;
  const missing: string[] = [];
  for (const host of hosts) {
    const certificate = readIfThere(filesOf(host));
    if (certificate) take(host, certificate);
    else missing.push(host);
    if (host === hosts[0]) standard = certificate;
  }
  if (missing.length > 0) {
    const placeholder = { ...(await selfSigned([...hosts])), minVersion: 'TLSv1.2' } as const;
    for (const host of missing) contexts.set(host, createSecureContext(placeholder));
    standard ??= placeholder;
    const names = missing.join(', ');
    log.warn({ event: 'tls.no-certificate', hosts: missing }, `no certificate yet for ${names}`);
  }

  return {
    standard: standard as Certificate,
    contextFor: (host) => contexts.get(host.toLowerCase()),
    has: (host) => (host === undefined ? given.size > 0 : given.has(host)),
    follow(server) {
      const ends = hosts.map((host) => {
        const setSecureContext = (certificate: Certificate) => {
          take(host, certificate);
          if (host === hosts[0]) server.setSecureContext(certificate);
        };
        return followCertificate({ setSecureContext }, filesOf(host), log, intervalMs);
      });
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

function readIfThere(files: { cert: string; key: string }): Certificate | null {
  try {
    return readCertificate(files);
  } catch (error) {
    if (error instanceof SlotsError) return null;
    throw error;
  }
}

import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { SlotsError } from '../../errors.ts';

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** The files' contents, in the options of a TLS server. */
export interface Certificate {
  cert: string;
  key: string;
  minVersion: 'TLSv1.2';
}

/** How often the files are looked at, in milliseconds. */
const LOOK_INTERVAL_MS = 2000;

/**
 * Reads a certificate and its key, which have to belong together.
 *
 * @throws SlotsError `TLS_BAD` that names the file, in one line
 */
export function readCertificate(files: CertificateFiles): Certificate {
  return check(files, { ...readFiles(files), minVersion: 'TLSv1.2' });
}

function readFiles(files: CertificateFiles): Pick<Certificate, 'cert' | 'key'> {
  return { cert: readPem(files.cert, 'cert'), key: readPem(files.key, 'key') };
}

function readPem(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SlotsError('TLS_BAD', `proxy.tls.${what}: ${file} cannot be read (${code})`, {
      cause,
    });
  }
}

function check(files: CertificateFiles, certificate: Certificate): Certificate {
  try {
    createSecureContext(certificate);
    return certificate;
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    const message = `proxy.tls: ${files.cert} and ${files.key} are no certificate with its key (${why})`;
    throw new SlotsError('TLS_BAD', message, { cause });
  }
}

/**
 * Keeps a server on the newest certificate. Connections that stand go on as they are; a pair that cannot be used
 * is logged once, and the one before it stays.
 *
 * By contents, not by events or times: certbot swaps symlinks, others write in place, and one file comes first.
 *
 * @returns ends it
 */
export function followCertificate(
  server: { setSecureContext(certificate: Certificate): void },
  files: CertificateFiles,
  log: Logger,
  intervalMs = LOOK_INTERVAL_MS,
): () => void {
  const look = () => {
    try {
      const { cert, key } = readFiles(files);
      return cert + key;
    } catch (error) {
      return (error as Error).message;
    }
  };
  let settled = look();
  let before = settled;
  const timer = setInterval(() => {
    const now = look();
    // Only what two looks have found alike is whole.
    if (now === before && now !== settled) {
      settled = now;
      take();
    }
    before = now;
  }, intervalMs);

  const take = () => {
    try {
      server.setSecureContext(readCertificate(files));
      log.info({ event: 'tls.certificate' }, `a new certificate is in use: ${files.cert}`);
    } catch (error) {
      const { message } = error as Error;
      log.error({ event: 'tls.bad-certificate', error: message }, `${message}; the old one stays`);
    }
  };

  return () => clearInterval(timer);
}

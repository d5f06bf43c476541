/**
 * `slots/certs/`: what CAs have given, for the controller, which writes it, and the workers, which serve it.
 *
 * `<host>.pem` holds the certificate, its chain and its key: one file, since two cannot be replaced in one step. The folder
 * is 0700 and each file 0600.
 */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { SitePaths } from './paths.ts';

export interface CertificateFacts {
  /** The names that it is for. */
  hosts: string[];
  /** The CA's name. */
  issuer: string;
  notBefore: Date;
  notAfter: Date;
  /** In hexadecimal digits. */
  serial: string;
}

export function certificateFile({ certs }: Pick<SitePaths, 'certs'>, host: string): string {
  return join(certs, `${host}.pem`);
}

/** @throws Error of OpenSSL when the text holds no certificate */
export function certificateFacts(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const { subjectAltName = '', issuer, serialNumber, validFromDate, validToDate } = certificate;
  return {
    hosts: [...subjectAltName.matchAll(/DNS:([^,\s]+)/g)].map(([, host]) => host as string),
    issuer: nameOf(issuer),
    notBefore: validFromDate,
    notAfter: validToDate,
    serial: serialNumber,
  };
}

/** Of a distinguished name, one part a line. */
function nameOf(distinguished: string): string {
  const parts = new Map(
    distinguished.split('\n').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)] as const;
    }),
  );
  return parts.get('CN') ?? parts.get('O') ?? distinguished.replaceAll('\n', ', ');
}

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf, SlotsError } from '../../errors.ts';
import { certificateFacts } from '../../slots/certificates.ts';
import { isLate } from './decide.ts';
import { type CertificateStatus, validityOf } from './status.ts';

/** The certificate of `proxy.tls.cert`, which somebody else renews; none without that. */
export async function fileCertificate(
  cert: string | undefined,
  root: string,
): Promise<CertificateStatus[]> {
  if (cert === undefined) return [];
  const unknown = { nextTry: null, hint: null };
  try {
    const facts = certificateFacts(await readFile(resolve(root, cert), 'utf8'));
    const { hosts, issuer, notBefore, notAfter } = facts;
    return [
      {
        hosts,
        state: notAfter.getTime() < Date.now() ? 'expired' : 'valid',
        issuer,
        notBefore: notBefore.toISOString(),
        notAfter: notAfter.toISOString(),
        isLate: isLate(validityOf(facts), Date.now()),
        lastError: null,
        ...unknown,
      },
    ];
  } catch (error) {
    const none = { issuer: null, notBefore: null, notAfter: null };
    const lastError = `${cert}: ${messageOf(error)}`;
    return [{ hosts: [], state: 'waiting', ...none, isLate: true, lastError, ...unknown }];
  }
}

export function noneOrdered(): SlotsError {
  return new SlotsError('NO_CERTIFICATES', 'slots orders no certificates for this site', {
    hint: '"proxy.tls.acme" in the config turns that on',
  });
}

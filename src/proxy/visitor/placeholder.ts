import { webcrypto } from 'node:crypto';
import {
  cryptoProvider,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const DAY_MS = 86_400_000;
const LIFETIME_MS = 90 * DAY_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate of its own making, PEM: visitors are warned, and the port can be reached until a CA has given one. */
export async function selfSigned(hosts: string[]): Promise<{ cert: string; key: string }> {
  const provider = webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0];
  cryptoProvider.set(provider);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const now = Date.now();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=slots: no certificate yet',
    keys: keys as unknown as Parameters<
      typeof X509CertificateGenerator.createSelfSigned
    >[0]['keys'],
    signingAlgorithm: ALGORITHM,
    // The clocks of visitors differ.
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + LIFETIME_MS),
    extensions: [
      new SubjectAlternativeNameExtension(hosts.map((value) => ({ type: 'dns', value }))),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
}

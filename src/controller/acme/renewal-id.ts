import { AuthorityKeyIdentifierExtension, X509Certificate } from '@peculiar/x509';

/**
 * The name of a certificate in a CA's renewal information (RFC 9773 §4.1): its authority's key id and its serial number.
 *
 * @param pem the certificate, which may be followed by its chain
 * @returns `null` for a certificate that names no authority key
 */
export function renewalId(pem: string): string | null {
  const certificate = new X509Certificate(firstOf(pem));
  const authority = certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId;
  if (!authority) return null;
  const { serialNumber } = certificate;
  const hex = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`;
  // As DER has it: a first bit that is set would make it negative.
  const serial = Number.parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex;
  return [authority, serial]
    .map((digits) => Buffer.from(digits, 'hex').toString('base64url'))
    .join('.');
}

/** Reads one certificate; of a text with more it takes the last. */
function firstOf(pem: string): string {
  const end = '-----END CERTIFICATE-----';
  return pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----'), pem.indexOf(end) + end.length);
}

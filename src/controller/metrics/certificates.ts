import type { CertificateStatus } from '../acme/status.ts';
import type { Family, Sample } from './family.ts';

/** Of certificates that slots orders; those of files have no samples. */
export const certificateFamilies: Family[] = [
  {
    name: 'slots_certificate_expiry_timestamp_seconds',
    help: 'When the certificate of a host ends, in seconds since 1970.',
    type: 'gauge',
    labels: ['host'],
    read: ({ certificates }) =>
      each(certificates, ({ notAfter }) => notAfter && Date.parse(notAfter) / 1000),
  },
  {
    name: 'slots_certificate_late',
    help: '1 for a host that has no certificate, or one of whose life less than a third is left.',
    type: 'gauge',
    labels: ['host'],
    read: ({ certificates }) => each(certificates, ({ isLate }) => Number(isLate)),
  },
  {
    name: 'slots_certificate_failing',
    help: '1 for a host whose last order has failed.',
    type: 'gauge',
    labels: ['host'],
    read: ({ certificates }) => each(certificates, ({ lastError }) => Number(lastError !== null)),
  },
];

function each(
  certificates: readonly CertificateStatus[],
  value: (certificate: CertificateStatus) => number | null | '',
): Sample[] {
  return certificates.flatMap((certificate) => {
    const read = value(certificate);
    if (typeof read !== 'number') return [];
    return certificate.hosts.map((host) => ({ labels: { host }, value: read }));
  });
}

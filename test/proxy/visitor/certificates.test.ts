import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import pino from 'pino';
import { expect, test } from 'vitest';
import { openCertificates } from '../../../src/proxy/visitor/certificates.ts';
import { certificateFile } from '../../../src/slots/certificates.ts';
import { tempSite } from '../../support/temp-site.ts';
import { makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const log = pino({ enabled: false });
const HOSTS = ['one.example', 'two.example'];

async function siteWith(...hosts: string[]) {
  const paths = await tempSite();
  await mkdir(paths.certs, { recursive: true });
  const give = async (host: string) => {
    const { cert, key } = await makeCertificate(host);
    const text = `${await readFile(cert, 'utf8')}\n${await readFile(key, 'utf8')}`;
    await writeFile(certificateFile(paths, host), text);
  };
  for (const host of hosts) await give(host);
  return { paths, give };
}

test('a self-signed certificate for all hosts stands in until a CA has given one', async () => {
  const { paths } = await siteWith();
  const certificates = await openCertificates(paths, HOSTS, log);
  const { subjectAltName } = new X509Certificate(certificates.standard.cert);
  expect(subjectAltName).toBe('DNS:one.example, DNS:two.example');
  expect(certificates.has()).toBe(false);
  expect(certificates.contextFor('ONE.example')).toBeDefined();
  expect(certificates.contextFor('three.example')).toBeUndefined();
});

test('a certificate that appears is taken up, and the first host has the one for visitors who name none', async () => {
  const { paths, give } = await siteWith('two.example');
  const certificates = await openCertificates(paths, HOSTS, log, 10);
  const placeholder = certificates.contextFor('one.example');
  const taken: string[] = [];
  certificates.follow({ setSecureContext: ({ cert }) => void taken.push(cert) });
  expect(certificates.has('two.example')).toBe(true);
  expect(certificates.has('one.example')).toBe(false);
  await give('one.example');
  await until(() => certificates.has('one.example'), 'the certificate');
  expect(certificates.contextFor('one.example')).not.toBe(placeholder);
  expect(taken.map((cert) => new X509Certificate(cert).subject)).toEqual(['CN=one.example']);
});

test('a file that holds no certificate is as good as none', async () => {
  const { paths } = await siteWith();
  await writeFile(certificateFile(paths, 'one.example'), 'half of a certif');
  expect((await openCertificates(paths, HOSTS, log)).has()).toBe(false);
});

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { publicSide } from '../../config/public-side.ts';
import type { AcmeConfig } from '../../config/tls-schema.ts';
import { chooseChallenge, isLate } from '../../controller/acme/decide.ts';
import { certificateFacts, certificateFile } from '../../slots/certificates.ts';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Certificates are renewed at a third of their life; who is closer to the end than this has not noticed. */
const SOON_DAYS = 14;

export async function checkCertificate(facts: Facts, now = Date.now()): Promise<Check[]> {
  const { tls } = facts.config.proxy;
  if (!tls) return [];
  if (tls.acme) return checkOrdered(facts, tls.acme, now);
  return checkFiles(facts, { cert: tls.cert ?? '', key: tls.key ?? '' }, now);
}

async function checkFiles(
  { paths }: Facts,
  { cert, key }: { cert: string; key: string },
  now: number,
): Promise<Check[]> {
  const hint = 'renew it; the workers read it again when the file changes';
  try {
    const certificate = new X509Certificate(await readFile(resolve(paths.root, cert)));
    if (!certificate.checkPrivateKey(createPrivateKey(await readFile(resolve(paths.root, key))))) {
      return [problem('certificate', `${key} is not the key of ${cert}`, 'give both anew')];
    }
    const days = Math.floor((certificate.validToDate.getTime() - now) / DAY_MS);
    const message = `${cert} is valid until ${certificate.validTo}`;
    if (days < 0) return [problem('certificate', `${cert} has expired`, hint)];
    return [days < SOON_DAYS ? warning('certificate', message, hint) : ok('certificate', message)];
  } catch (error) {
    const message = (error as Error).message;
    return [problem('certificate', message, 'correct "proxy.tls": both are PEM files')];
  }
}

/** Each host's, and how the CA is shown that it is ours. */
async function checkOrdered(facts: Facts, acme: AcmeConfig, now: number): Promise<Check[]> {
  const { type, why } = chooseChallenge(publicSide(facts.config).http, null);
  const name = type === 'http-01' ? 'HTTP-01' : 'TLS-ALPN-01';
  const port = type === 'http-01' ? 80 : 443;
  const how = `hosts are proven by ${name} on port ${port}, since ${why}`;
  const checks = acme.hosts.map((host) => checkHost(facts, host, now));
  return [ok('acme-challenge', how), ...(await Promise.all(checks))];
}

async function checkHost({ paths, status }: Facts, host: string, now: number): Promise<Check> {
  const { lastError = null, hint = null } =
    status?.certificates?.find(({ hosts }) => hosts.includes(host)) ?? {};
  const remedy = hint ?? '`slots certs` says when it is tried again';
  const pem = await readFile(certificateFile(paths, host), 'utf8').catch(() => null);
  if (pem === null) {
    const waiting = `${host} has no certificate yet`;
    if (lastError !== null) return problem('certificate', lastError, remedy);
    return warning('certificate', waiting, 'it is ordered once `slots up` has been run');
  }
  const { notBefore, notAfter } = certificateFacts(pem);
  const until = `${host} has a certificate until ${notAfter.toISOString()}`;
  if (notAfter.getTime() < now) {
    return problem('certificate', lastError ?? `the certificate of ${host} has expired`, remedy);
  }
  const late = isLate({ notBefore: +notBefore, notAfter: +notAfter, serial: '' }, now);
  if (lastError !== null) return warning('certificate', `${until}; ${lastError}`, remedy);
  return late
    ? warning('certificate', `${until}, and is due to be renewed`, remedy)
    : ok('certificate', until);
}

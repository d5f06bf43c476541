import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Check, ok, problem, warning } from './check.ts';
import type { Facts } from './facts.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Certificates are renewed at a third of their life; who is closer to the end than this has not noticed. */
const SOON_DAYS = 14;

export async function checkCertificate(
  { config, paths }: Facts,
  now = Date.now(),
): Promise<Check[]> {
  const { tls } = config.proxy;
  if (!tls) return [];
  const hint = 'renew it; the workers read it again when the file changes';
  try {
    const certificate = new X509Certificate(await readFile(resolve(paths.root, tls.cert)));
    const key = createPrivateKey(await readFile(resolve(paths.root, tls.key)));
    if (!certificate.checkPrivateKey(key)) {
      return [problem('certificate', `${tls.key} is not the key of ${tls.cert}`, 'give both anew')];
    }
    const days = Math.floor((certificate.validToDate.getTime() - now) / DAY_MS);
    const message = `${tls.cert} is valid until ${certificate.validTo}`;
    if (days < 0) return [problem('certificate', `${tls.cert} has expired`, hint)];
    return [days < SOON_DAYS ? warning('certificate', message, hint) : ok('certificate', message)];
  } catch (error) {
    const message = (error as Error).message;
    return [problem('certificate', message, 'correct "proxy.tls": both are PEM files')];
  }
}

import type { RenewResult } from '../controller/acme/keeper.ts';
import type { CertificateStatus } from '../controller/acme/status.ts';
import { SlotsError } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { callController } from './client.ts';
import { table } from './terminal/format.ts';
import { style } from './terminal/style.ts';

const STATE_STYLES = {
  valid: 'green',
  renewing: 'green',
  ordering: 'yellow',
  waiting: 'red',
  expired: 'red',
} as const;

/** `slots certs`: hosts, issuers, ends, the next try and the last error. */
export async function showCertificates(
  paths: SitePaths,
  options: { json?: boolean },
): Promise<void> {
  const found = await callController<CertificateStatus[]>(paths, 'GET', '/api/certificates');
  if (options.json) console.log(JSON.stringify(found, null, 2));
  else if (found.length > 0) console.log(renderCertificates(found));
  else console.log('no certificates: visitors come by plain HTTP ("proxy.tls" is not set)');
}

export function renderCertificates(certificates: readonly CertificateStatus[]): string {
  const rows = certificates.map(({ hosts, state, issuer, notAfter, nextTry }) => [
    style('bold', hosts.join(', ')),
    style(STATE_STYLES[state], state),
    issuer ?? style('dim', 'self-signed until it is there'),
    notAfter ? `until ${minutes(notAfter)}` : '',
    nextTry ? style('dim', `next try ${minutes(nextTry)}`) : '',
  ]);
  const errors = certificates.flatMap(({ lastError, hint }) =>
    lastError === null ? [] : [style('red', lastError), ...(hint ? [`  ${hint}`] : [])],
  );
  return [table(rows), ...errors].join('\n');
}

/** `slots certs renew [host]`: orders now, and waits for it. */
export async function renewCertificates(paths: SitePaths, host: string | undefined): Promise<void> {
  const { results } = await callController<{ results: RenewResult[] }>(
    paths,
    'POST',
    '/api/certificates/renew',
    { host: host ?? null },
  );
  const done = results.filter(({ error }) => error === null);
  for (const { host: renewed } of done)
    console.log(`${renewed} has a new certificate, which is in use within seconds`);
  const [failed, ...more] = results.filter(({ error }) => error !== null);
  if (!failed) return;
  for (const { error } of more) console.error(error);
  throw new SlotsError('ACME_FAILED', failed.error as string, { hint: failed.hint ?? undefined });
}

/** To the minute, UTC. */
function minutes(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

import { readFile, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { LateCertificate } from '../../../src/controller/acme/keeper.ts';
import { renewalId } from '../../../src/controller/acme/renewal-id.ts';
import { certificateFile } from '../../../src/slots/certificates.ts';
import { acmeKeeper, HOST } from '../../support/acme-keeper.ts';
import { freePorts } from '../../support/free-ports.ts';
import { startRenewalInfoShim } from '../../support/renewal-info-shim.ts';
import { until } from '../../support/until.ts';

const HOUR_MS = 3_600_000;

const isValid = (keeper: { status(): { state: string }[] }) => () =>
  keeper.status().every(({ state }) => state === 'valid');

test('a CA that has lost the account gets it again, and the certificate is had', async ({
  skip,
}) => {
  const { start, pebble } = await acmeKeeper(skip, { refusedNonces: 50 });
  const { keeper, store } = await start();
  await until(isValid(keeper), 'the certificate');
  const gone = { url: pebble.directory.replace('/dir', '/my-account/9'), email: 'me@example.com' };
  await store.setAccount(pebble.directory, gone);
  expect(await keeper.renew(HOST)).toEqual([{ host: HOST, error: null, hint: null }]);
  expect(store.account(pebble.directory)?.url).not.toBe(gone.url);
});

test('a name that cannot be looked up is told in one line, with what to do, and once to others', async ({
  skip,
}) => {
  const { start, pebble } = await acmeKeeper(skip);
  await pebble.dns('set-default-ipv4', { ip: '' });
  const { keeper } = await start();
  const told: LateCertificate[] = [];
  keeper.onLate((late) => told.push(late));
  const failed = () => keeper.status()[0]?.lastError ?? null;
  await until(() => keeper.status()[0]?.state === 'waiting' && failed(), 'the failure');
  expect(keeper.status()).toMatchObject([{ state: 'waiting', isLate: true, issuer: null }]);
  expect(failed()).toMatch(/^one\.example: the CA says: .*/);
  expect(failed()).not.toContain('\n');
  expect(keeper.status()[0]?.hint).toContain('DNS entries');
  const [again] = await keeper.renew(HOST);
  expect(again?.error).not.toBeNull();
  expect(told).toMatchObject([{ id: 'none', host: HOST, notAfter: null }]);
  await pebble.dns('set-default-ipv4', { ip: '127.0.0.1' });
  // The failed try was by HTTP-01; nobody answers for the other one here.
  await keeper.renew(HOST);
  expect(await keeper.renew(HOST)).toMatchObject([{ error: null }]);
  expect(keeper.status()).toMatchObject([{ state: 'valid', lastError: null, hint: null }]);
});

test('a lost store is ordered anew once, and not again on the same day', async ({ skip }) => {
  const { start, paths, pebble } = await acmeKeeper(skip);
  const { keeper, store } = await start();
  // The last that is written there.
  await until(() => store.host(HOST).window !== null, 'the certificate');
  await rm(paths.certs, { recursive: true });
  // Another host's order has it look at all of them.
  await keeper.renew(HOST);
  await until(() => pebble.orders() === 2, 'Pebble to print it');
  await rm(certificateFile(paths, HOST));
  await expect.poll(() => keeper.status()[0]?.state, { timeout: 100 }).toBe('valid');
  const next = await start();
  expect(next.keeper.status()).toMatchObject([{ state: 'waiting', issuer: null }]);
  const nextTry = Date.parse(next.keeper.status()[0]?.nextTry ?? '');
  expect(nextTry).toBeGreaterThan(Date.now() + 23 * HOUR_MS);
  expect(pebble.orders()).toBe(2);
});

test('the other CA gives the certificate after three failures of the first', async ({ skip }) => {
  const { start, pebble } = await acmeKeeper(skip);
  const [closed = 0] = await freePorts(1);
  const { keeper, store } = await start({
    directory: `https://localhost:${closed}/dir`,
    fallbackDirectory: pebble.directory,
  });
  await until(() => keeper.status()[0]?.lastError !== null, 'the first failure');
  expect(keeper.status()[0]?.lastError).toContain(`localhost:${closed} cannot be reached`);
  await keeper.renew(null);
  await keeper.renew(null);
  expect(store.host(HOST).failures?.count).toBe(3);
  expect(await keeper.renew(null)).toMatchObject([{ error: null }]);
  expect(store.host(HOST).directory).toBe(pebble.directory);
});

test('renewal information decides when a certificate is renewed, and the order says which one it replaces', async ({
  skip,
}) => {
  const { start, pebble, paths } = await acmeKeeper(skip);
  const pem = await readFile(pebble.root);
  const key = await readFile(pebble.root.replace('root.pem', 'key.pem'));
  const shim = await startRenewalInfoShim(pebble.directory, { cert: pem, key });
  const later = { start: new Date(Date.now() + HOUR_MS), end: new Date(Date.now() + 2 * HOUR_MS) };
  shim.suggest(later);
  const first = await start({ directory: shim.directory });
  await until(() => shim.asked.length > 0 && isValid(first.keeper)(), 'the question');
  const id = renewalId(await readFile(certificateFile(paths, HOST), 'utf8'));
  expect(shim.asked).toEqual([id]);
  await until(() => {
    const next = Date.parse(first.keeper.status()[0]?.nextTry ?? '');
    return next >= later.start.getTime() && next <= later.end.getTime();
  }, 'the time of the next order to be in the window');
  expect(shim.replaces.every((replaced) => replaced === null)).toBe(true);
  await first.keeper.renew(HOST);
  expect(shim.replaces.at(-1)).toBe(id);
});

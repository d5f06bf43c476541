/** What a person is told when a CA gives no certificate: the CA's own reason, and what to do. */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { expect, onTestFinished, type TestContext, test } from 'vitest';
import type { CertificateStatus } from '../../../src/controller/acme/status.ts';
import { acmeKeeper, HOST } from '../../support/acme-keeper.ts';
import { startRenewalInfoShim } from '../../support/renewal-info-shim.ts';
import { until } from '../../support/until.ts';

type Setup = Awaited<ReturnType<typeof acmeKeeper>>;

/** How the first try ends: by `slots certs`, and in the log. */
async function failure({ start, events }: Setup, directory?: string) {
  const { keeper, store } = await start(directory === undefined ? {} : { directory });
  const status = () => keeper.status()[0] as CertificateStatus;
  await until(() => status().state === 'waiting' && status().lastError, 'the failure', 25_000);
  const { lastError, hint, nextTry } = status();
  expect(lastError).not.toContain('\n');
  const [logged] = events('certificate.failed');
  expect(logged).toMatchObject({ host: HOST, error: lastError, hint, count: 1 });
  return { keeper, store, lastError, hint, nextTry: Date.parse(nextTry ?? '') };
}

const before = (skip: TestContext['skip']) => acmeKeeper(skip, { refusedNonces: 0 });

test('a name that points to a machine where nobody answers is told by the CA, with the address', async ({
  skip,
}) => {
  const setup = await before(skip);
  await setup.pebble.dns('add-a', { host: HOST, addresses: ['127.0.0.9'] });
  const { lastError, hint } = await failure(setup);
  expect(lastError).toMatch(/^one\.example: the CA says: .*127\.0\.0\.9.*refused/);
  expect(hint).toContain('DNS entries (A, AAAA) of one.example');
});

test("a name that points to somebody else's machine is told as that", async ({ skip }) => {
  const setup = await before(skip);
  const other = createServer((_request, answer) => answer.writeHead(404).end('not here'));
  other.listen(setup.httpPort, '127.0.0.9');
  onTestFinished(() => void other.close());
  await setup.pebble.dns('add-a', { host: HOST, addresses: ['127.0.0.9'] });
  const { lastError, hint } = await failure(setup);
  expect(lastError).toMatch(/^one\.example: the CA says: .*404/);
  expect(hint).toContain('somebody else answers for one.example');
});

test('a port that is closed to the CA is told, and which ones have to be open', async ({
  skip,
}) => {
  const setup = await acmeKeeper(skip, { refusedNonces: 0, isClosed: true });
  const { lastError, hint } = await failure(setup);
  expect(lastError).toMatch(/^one\.example: the CA says: .*connection refused/);
  expect(hint).toMatch(/^open the ports 80 and 443 of this machine/);
});

/** Pebble has neither of what follows; the shim refuses one request in its place. */
async function behindShim(skip: TestContext['skip']) {
  const setup = await before(skip);
  const cert = await readFile(setup.pebble.root);
  const key = await readFile(setup.pebble.root.replace('root.pem', 'key.pem'));
  return { setup, shim: await startRenewalInfoShim(setup.pebble.directory, { cert, key }) };
}

test('a CAA entry that keeps the CA out is told in its words, and what to change', async ({
  skip,
}) => {
  const { setup, shim } = await behindShim(skip);
  shim.refuse({
    status: 403,
    problem: {
      type: 'urn:ietf:params:acme:error:caa',
      detail: 'CAA record for one.example\nprevents issuance',
    },
    path: /finalize/,
  });
  const { lastError, hint, store } = await failure(setup, shim.directory);
  expect(lastError).toBe('one.example: the CA says: CAA record for one.example prevents issuance');
  expect(hint).toMatch(/^a CAA entry in the DNS of one\.example, or of a domain above it/);
  expect(store.host(HOST).order).toBeNull();
});

const LIMITED = {
  problem: {
    type: 'urn:ietf:params:acme:error:rateLimited',
    detail: 'too many certificates (5) already issued for this exact set of domains',
  },
  retryAfterS: 7200,
};

test('a rate limit is told in the words of the CA, and it is not asked before it wants to be', async ({
  skip,
}) => {
  const { setup, shim } = await behindShim(skip);
  const begun = Date.now();
  shim.refuse({ ...LIMITED, status: 429 });
  const { keeper, lastError, hint, nextTry } = await failure(setup, shim.directory);
  expect(lastError).toBe(`one.example: the CA says: ${LIMITED.problem.detail}`);
  expect(hint).toMatch(/^the CA limits how often it may be asked: wait/);
  expect(nextTry).toBeGreaterThanOrEqual(begun + 7200_000);
  // By hand neither.
  const [again] = await keeper.renew(HOST);
  expect(again?.error).toContain('too many certificates');
  expect(shim.replaces).toEqual([]);
});

test('a rate limit in the middle of an order keeps the order, for another one would count as well', async ({
  skip,
}) => {
  const { setup, shim } = await behindShim(skip);
  // As Let's Encrypt says it while it is busy as a whole.
  shim.refuse({ ...LIMITED, status: 503, path: /finalize/ });
  const { lastError, hint, store } = await failure(setup, shim.directory);
  expect(lastError).toContain(LIMITED.problem.detail);
  expect(hint).toContain('the CA limits how often');
  expect(store.host(HOST).order).toMatchObject({ phase: 'finalizing' });
  expect(setup.pebble.orders()).toBe(1);
});

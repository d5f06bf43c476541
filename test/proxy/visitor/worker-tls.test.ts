/** A worker as PM2 runs it, by itself: its config, its files and its signals. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../../support/free-ports.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, get } from '../../support/raw-http.ts';
import { putFile, tempSite } from '../../support/temp-site.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const MAIN = fileURLToPath(new URL('../../../src/proxy/main.ts', import.meta.url));

interface Worker {
  child: ChildProcess;
  lines(): Record<string, unknown>[];
  stderr(): string;
}

/** A site whose certificate lies in its folder, under relative names. */
async function siteWithTls() {
  const [proxy, blue, green, admin, plain] = (await freePorts(5)) as [number, ...number[]];
  const { root } = await tempSite();
  const made = await makeCertificate('site.test');
  await putFile(root, 'tls/.keep', '');
  await copyFile(made.cert, join(root, 'tls/cert.pem'));
  await copyFile(made.key, join(root, 'tls/key.pem'));
  const config = {
    name: 'site',
    build: 'true',
    entry: 'server.mjs',
    host: '127.0.0.1',
    ports: { proxy, blue, green, admin },
    proxy: { tls: { cert: 'tls/cert.pem', key: 'tls/key.pem', redirectHttp: plain } },
  };
  const write = (changes: object = {}) =>
    putFile(root, 'slots.config.json', JSON.stringify({ ...config, ...changes }));
  await write();
  return { root, proxy, plain: plain as number, write };
}

function startWorker(root: string): Worker {
  // Not in the site's folder, so that what is relative to it has to be resolved.
  const child = spawn(process.execPath, [MAIN], { cwd: '/', env: { SLOTS_ROOT: root } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const out = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      out[stream] += text;
    });
  }
  const lines = () => {
    const whole = out.stdout.slice(0, out.stdout.lastIndexOf('\n') + 1);
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  };
  return { child, lines, stderr: () => out.stderr };
}

const said = (worker: Worker, event: string) =>
  worker.lines().filter((line) => line.event === event);

test('serves HTTPS, redirects plain HTTP, takes a new certificate, and stops', async () => {
  const { root, proxy, plain } = await siteWithTls();
  const worker = startWorker(root);
  await until(() => said(worker, 'worker.listen').length === 1, 'the worker to listen', 20_000);
  const session = await http2Session(proxy);
  // No release yet.
  expect((await http2Get(session, '/')).status).toBe(503);
  const redirected = await ask(plain, get('/a?b'));
  expect(redirected.status).toBe(308);
  expect(values(redirected.fields, 'location')).toEqual([`https://site.test:${proxy}/a?b`]);

  const next = await makeCertificate('next.test');
  await copyFile(next.cert, join(root, 'tls/cert.pem'));
  await copyFile(next.key, join(root, 'tls/key.pem'));
  await until(() => said(worker, 'tls.certificate').length === 1, 'the new certificate', 20_000);
  expect((await http2Get(session, '/')).status).toBe(503);

  const exited = once(worker.child, 'exit');
  worker.child.kill('SIGINT');
  expect(await exited).toEqual([0, null]);
  expect(worker.stderr()).toBe('');
});

test('exits with 1 and one clear line when its certificate cannot be read', async () => {
  const { root, write } = await siteWithTls();
  await write({ proxy: { tls: { cert: 'tls/none.pem', key: 'tls/key.pem' } } });
  const worker = startWorker(root);
  expect(await once(worker.child, 'close')).toEqual([1, null]);
  expect(worker.lines()).toHaveLength(1);
  expect(worker.lines()[0]).toMatchObject({
    event: 'worker.start-failed',
    code: 'TLS_BAD',
    msg: `proxy.tls.cert: ${root}/tls/none.pem cannot be read (ENOENT)`,
  });
  expect(worker.stderr()).toBe('');
});

test('exits with 1 when the port of the redirect is taken', async () => {
  const { root, write } = await siteWithTls();
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port: redirectHttp } = other.address() as AddressInfo;
  const tls = { cert: 'tls/cert.pem', key: 'tls/key.pem', redirectHttp };
  await write({ proxy: { tls } });
  const worker = startWorker(root);
  expect(await once(worker.child, 'close')).toEqual([1, null]);
  expect(said(worker, 'worker.listen-failed')).toHaveLength(1);
});

import { once } from 'node:events';
import { copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { followCertificate, readCertificate } from '../../../src/proxy/visitor/certificate.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { get, watch } from '../../support/raw-http.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import {
  type CertificateFiles,
  http2Get,
  http2Session,
  makeCertificate,
  tlsSocket,
} from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const INTERVAL_MS = 10;

async function follow(files: CertificateFiles) {
  const site = await startOrigin((_request, response) => response.end('page'));
  const running = await startPlane({ blue: site.port, proxy: { tls: files } });
  const { log, events } = collectedLog();
  const end = followCertificate(running.plane.server as never, files, log, INTERVAL_MS);
  onTestFinished(end);
  return { ...running, events };
}

async function nameAt(port: number): Promise<string> {
  const socket: TLSSocket = await tlsSocket(port);
  const name = socket.getPeerCertificate().subject.CN as string;
  socket.destroy();
  return name;
}

async function copyPair(from: CertificateFiles, to: CertificateFiles): Promise<void> {
  await copyFile(from.cert, to.cert);
  await copyFile(from.key, to.key);
}

test('a certificate that changes is used for new connections, and those that stand go on', async () => {
  const files = await makeCertificate('first.test');
  const { port, events } = await follow(files);
  const session = await http2Session(port);
  const socket = await tlsSocket(port);
  const wire = watch(socket);
  wire.send(get());
  await wire.until('page');
  await copyPair(await makeCertificate('second.test'), files);
  await until(() => events('tls.certificate').length === 1, 'the new certificate');
  expect(await nameAt(port)).toBe('second.test');
  expect((await http2Get(session, '/')).status).toBe(200);
  wire.send(get());
  await wire.until((text) => text.split('page').length === 3);
  expect(socket.getPeerCertificate().subject.CN).toBe('first.test');
});

test("a certificate that changes is found behind certbot's swapped symlinks", async () => {
  const folder = await tempFolder();
  await mkdir(join(folder, 'live'));
  const files = { cert: join(folder, 'live/cert.pem'), key: join(folder, 'live/key.pem') };
  const point = async (to: CertificateFiles) => {
    for (const what of ['cert', 'key'] as const) {
      await symlink(to[what], `${files[what]}.new`);
      await rename(`${files[what]}.new`, files[what]);
    }
  };
  await point(await makeCertificate('first.test'));
  const { port } = await follow(files);
  expect(await nameAt(port)).toBe('first.test');
  for (const name of ['second.test', 'third.test']) {
    await point(await makeCertificate(name));
    await until(async () => (await nameAt(port)) === name, name);
  }
});

test('a certificate that changes: for a bad one is logged once, and the old one stays until a good one comes', async () => {
  const files = await makeCertificate('first.test');
  const { port, events } = await follow(files);
  await writeFile(files.cert, 'no certificate');
  await until(() => events('tls.bad-certificate').length === 1, 'the complaint');
  expect(events('tls.bad-certificate')[0]?.msg).toContain(files.cert);
  expect(await nameAt(port)).toBe('first.test');
  await rm(files.cert);
  await until(() => events('tls.bad-certificate').length === 2, 'the second complaint');
  expect(await nameAt(port)).toBe('first.test');
  await copyPair(await makeCertificate('second.test'), files);
  await until(() => events('tls.certificate').length === 1, 'the new certificate');
  expect(await nameAt(port)).toBe('second.test');
  expect(events('tls.bad-certificate')).toHaveLength(2);
});

test("a certificate that changes with another one's key is not used", async () => {
  const files = await makeCertificate('first.test');
  const { port, events } = await follow(files);
  await copyFile((await makeCertificate('second.test')).cert, files.cert);
  await until(() => events('tls.bad-certificate').length === 1, 'the complaint');
  expect(await nameAt(port)).toBe('first.test');
});

test('a certificate that cannot be used from the start is one clear line: when a file is missing', async () => {
  const { cert, key } = await makeCertificate();
  const missing = () => readCertificate({ cert, key: `${key}.missing` });
  expect(missing).toThrow(`proxy.tls.key: ${key}.missing cannot be read (ENOENT)`);
  expect(missing).toThrow(expect.objectContaining({ code: 'TLS_BAD' }));
});

test('a certificate that cannot be used from the start is one clear line: when it is no certificate, or the key is of another one', async () => {
  const { cert, key } = await makeCertificate();
  const other = await makeCertificate();
  expect(() => readCertificate({ cert: key, key })).toThrow(/no certificate with its key \(.+\)$/);
  expect(() => readCertificate({ cert, key: other.key })).toThrow(/^proxy\.tls: .*mismatch.*$/);
});

test('a certificate that cannot be used from the start is one clear line and keeps a data plane from being made', async () => {
  const { cert } = await makeCertificate();
  await expect(startPlane({ proxy: { tls: { cert, key: cert } } })).rejects.toThrow('proxy.tls');
});

test('a visitor who resumes a session after the change is served', async () => {
  const files = await makeCertificate('first.test');
  const { port, events } = await follow(files);
  const first = await tlsSocket(port);
  const ticket = once(first, 'session');
  watch(first).send(get());
  const [session] = await ticket;
  await copyPair(await makeCertificate('second.test'), files);
  await until(() => events('tls.certificate').length === 1, 'the new certificate');
  const again = await http2Session(port, { session });
  expect((await http2Get(again, '/')).status).toBe(200);
});

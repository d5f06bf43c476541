import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

const DAY_MS = 86_400_000;

export interface CertificateFiles {
  cert: string;
  key: string;
}

/** Makes a self-signed certificate and its key, as PEM files in this folder. */
export async function writeCertificate(
  folder: string,
  name = 'localhost',
): Promise<CertificateFiles> {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + DAY_MS),
  });
  await writeFile(files.key, made.private);
  await writeFile(files.cert, made.cert);
  return files;
}

/** The same in a folder of its own, for programs that are no tests. */
export async function certificateFiles(): Promise<{
  certificate: CertificateFiles;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'slots-tls-'));
  const certificate = await writeCertificate(folder);
  return { certificate, remove: () => rm(folder, { recursive: true, force: true }) };
}

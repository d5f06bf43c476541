/** Finds a Chromium to test pages in: the one that `CHROMIUM` names, an installed one, or the one that npm brought. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LaunchOptions } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

const MANIFEST = new URL('../../node_modules/@sparticuz/chromium/package.json', import.meta.url);
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/chromium/', import.meta.url));

/** Unpacks the browser of @sparticuz/chromium, and the libraries that a small machine lacks, into TMPDIR. */
const UNPACK = `
  import { createRequire } from 'node:module';
  import chromium, { inflate } from '@sparticuz/chromium';
  await chromium.executablePath();
  await inflate(new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium')).pathname);
`;

/** @throws Error when there is none for this machine */
export async function findChromium(): Promise<Pick<LaunchOptions, 'executablePath' | 'env'>> {
  const named = process.env.CHROMIUM ?? installed();
  if (named !== undefined) return { executablePath: named };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `no Chromium is installed, and npm has none for ${process.platform} ${process.arch}`,
    );
  }
  const folder = await unpacked();
  return {
    executablePath: join(folder, 'chromium'),
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, 'al2023/lib'),
      ...(!existsSync('/etc/fonts') && { FONTCONFIG_PATH: join(folder, 'fonts') }),
    } as Record<string, string>,
  };
}

function installed(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

/** Two test files may come for it at once: each unpacks into a folder of its own, and the first one's is kept. */
async function unpacked(): Promise<string> {
  const { version } = JSON.parse(await readFile(MANIFEST, 'utf8'));
  const folder = join(CACHE, version);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const own = await mkdtemp(join(CACHE, 'partial-'));
  const args = ['--input-type=module', '--eval', UNPACK];
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, TMPDIR: own } });
  await rename(own, folder).catch(() => rm(own, { recursive: true }));
  return folder;
}

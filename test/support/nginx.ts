import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { freePorts } from './free-ports.ts';
import { getPage } from './site.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

const DOCS = fileURLToPath(new URL('../../docs/fleet.md', import.meta.url));

/** nginx in front of machines, by the very block of docs/fleet.md, with these ports in it. @returns where it listens */
export async function nginxBefore(ports: readonly number[]): Promise<string> {
  const [port = 0] = await freePorts(1);
  const folder = await tempFolder();
  const file = join(folder, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${folder};`,
  );
  const config = [
    'daemon off;',
    `pid ${join(folder, 'nginx.pid')};`,
    `error_log ${join(folder, 'error.log')};`,
    'events {}',
    'http {',
    '  access_log off;',
    ...paths,
    await fromDocs(port, ports),
    '}',
  ];
  await writeFile(file, `${config.join('\n')}\n`);
  const child = spawn('nginx', ['-c', file, '-p', folder, '-e', join(folder, 'error.log')], {
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    // Its workers end with it, which they do not when it is killed.
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => (await getPage(`${origin}/`)).status === 200, 'nginx to find a machine');
  return origin;
}

async function fromDocs(port: number, ports: readonly number[]): Promise<string> {
  const [block] = /^upstream blog \{[^`]+/m.exec(await readFile(DOCS, 'utf8')) ?? [];
  if (block === undefined) throw new Error('docs/fleet.md has no block for nginx');
  const named = ports.reduce(
    (text, one, index) => text.replace(`10.0.0.${index + 1}:4321`, `127.0.0.1:${one}`),
    block,
  );
  if (named.includes('10.0.0.')) throw new Error('the block has more machines than the test');
  return named.replace('listen 80;', `listen 127.0.0.1:${port};`);
}

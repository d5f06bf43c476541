import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePorts } from './free-ports.ts';
import { getPage } from './site.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

/** HAProxy in front of machines, as docs/fleet.md says. @returns where it listens */
export async function haproxyBefore(machines: { id: string; port: number }[]): Promise<string> {
  const [port = 0] = await freePorts(1);
  const file = join(await tempFolder(), 'haproxy.cfg');
  const servers = machines.map(({ id, port }) => `  server ${id} 127.0.0.1:${port}`);
  const config = [
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    'frontend public',
    `  bind 127.0.0.1:${port}`,
    '  default_backend blog',
    'backend blog',
    '  option httpchk GET /.slots/ready',
    '  default-server check inter 1s fall 1 rise 1',
    ...servers,
  ];
  await writeFile(file, `${config.join('\n')}\n`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const origin = `http://127.0.0.1:${port}`;
  await until(
    async () => (await getPage(`${origin}/`)).status === 200,
    'HAProxy to find a machine',
  );
  return origin;
}

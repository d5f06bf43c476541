/** Caddy's own ACME server, a second kind of CA: it looks at the ports 80 and 443, whatever the site's are. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePorts } from './free-ports.ts';
import { lacking } from './needs.ts';
import { tempFolder } from './temp-folder.ts';
import { until } from './until.ts';

export interface CaddyCa {
  directory: string;
  /** PEM file of its root, for `NODE_EXTRA_CA_CERTS`. */
  root: string;
}

/** @returns the reason why it cannot be had here, or `null` */
export async function lackingCaddyCa(): Promise<string | null> {
  const missing = lacking('caddy');
  if (missing) return missing;
  for (const port of [80, 443]) {
    if (!(await canListen(port))) return `port ${port} of this machine cannot be had`;
  }
  return null;
}

export async function startCaddyCa(): Promise<CaddyCa> {
  const folder = await tempFolder();
  const [port = 0, plain = 0] = await freePorts(2);
  const lines = [
    '{',
    'admin off',
    `storage file_system ${folder}/data`,
    'skip_install_trust',
    'auto_https disable_redirects',
    `http_port ${plain}`,
    '}',
    `https://localhost:${port} {`,
    'tls internal',
    'acme_server',
    '}',
  ];
  const file = join(folder, 'Caddyfile');
  await writeFile(file, `${lines.join('\n')}\n`);
  const env = { ...process.env, HOME: folder };
  const args = ['run', '--config', file, '--adapter', 'caddyfile'];
  const child = spawn('caddy', args, { env, stdio: 'ignore' });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await until(() => child.exitCode !== null || child.signalCode !== null, 'Caddy to end');
  });
  await until(async () => !(await canListen(port)), 'Caddy to listen');
  return {
    directory: `https://localhost:${port}/acme/local/directory`,
    root: join(folder, 'data/pki/authorities/local/root.crt'),
  };
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

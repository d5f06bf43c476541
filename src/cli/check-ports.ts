import { createServer } from 'node:net';
import type { AppRole } from '../config/ecosystem.ts';
import { listenHost } from '../config/listen-host.ts';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';

/** Said here, where a person reads it; inside PM2 it would be a restart loop in a log file. */
export async function checkPorts({ ports, host, proxy }: Config, role: AppRole): Promise<void> {
  if (role === 'watcher') return checkPort('ports.admin', ports.admin, '127.0.0.1');
  await checkPort(`ports.${role}`, ports[role], role === 'proxy' ? host : '127.0.0.1');
  const redirect = proxy.tls?.redirectHttp;
  if (role === 'proxy' && redirect) await checkPort('proxy.tls.redirectHttp', redirect, host);
}

async function checkPort(key: string, port: number, host: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      reject(
        new SlotsError('PORT_TAKEN', `${key}: port ${port} is taken by another program`, {
          hint: `end that program, or set another "${key}" in slots.config.ts`,
        }),
      );
    });
    server.listen(port, listenHost(host), resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

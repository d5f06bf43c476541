import { createServer } from 'node:net';
import type { AppRole } from '../config/ecosystem.ts';
import { listenHost } from '../config/listen-host.ts';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';

/** Said here, where a person reads it; inside PM2 it would be a restart loop in a log file. */
export async function checkPorts(config: Config, role: AppRole): Promise<void> {
  const { ports, host, proxy, admin } = config;
  if (role === 'watcher') return checkPort('ports.admin', ports.admin, admin.host);
  await checkPort(`ports.${role}`, ports[role], role === 'proxy' ? host : '127.0.0.1');
  const redirect = proxy.tls?.redirectHttp;
  if (role === 'proxy' && redirect) await checkPort('proxy.tls.redirectHttp', redirect, host);
}

/**
 * @param key as a person knows the port, and the file that it is set in
 * @throws SlotsError `PORT_TAKEN`, `PORT_FORBIDDEN`, `CONFIG_INVALID` for an address that is not this machine's
 */
export async function checkPort(
  key: string,
  port: number,
  host: string,
  file = 'slots.config.ts',
): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(taken(key, port, file));
      else if (error.code === 'EACCES') reject(forbidden(key, port));
      else reject(noAddress(key, host, error, file));
    });
    server.listen(port, listenHost(host), resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

function taken(key: string, port: number, file: string): SlotsError {
  return new SlotsError('PORT_TAKEN', `${key}: port ${port} is taken by another program`, {
    hint: `end that program, or set another "${key}" in ${file}`,
  });
}

function forbidden(key: string, port: number): SlotsError {
  return new SlotsError('PORT_FORBIDDEN', `${key}: this user may not listen on port ${port}`, {
    hint: `\`sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}\` lets every user do so; \`slots doctor\` shows other ways`,
  });
}

/** The system knows by itself alone which addresses and names are this machine's. */
function noAddress(key: string, host: string, error: NodeJS.ErrnoException, file: string) {
  const hostKey = key === 'ports.admin' ? 'admin.host' : 'host';
  return new SlotsError(
    'CONFIG_INVALID',
    `${hostKey}: "${host}" (an address of this machine, or "::" for all; ${error.code})`,
    { hint: `correct "${hostKey}" in ${file}`, cause: error },
  );
}

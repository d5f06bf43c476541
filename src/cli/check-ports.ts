import { connect, createServer } from 'node:net';
import type { AppRole } from '../config/ecosystem.ts';
import { listenHost } from '../config/listen-host.ts';
import type { Config } from '../config/schema.ts';
import { SlotsError } from '../errors.ts';
import { daemonHasNetBind } from './low-port-capability.ts';

/** Said here, where a person reads it; inside PM2 it would be a restart loop in a log file. */
export async function checkPorts(config: Config, role: AppRole): Promise<void> {
  const { ports, host, proxy, admin } = config;
  if (role === 'watcher') return checkPort('ports.admin', ports.admin, admin.host);
  await checkPort(`ports.${role}`, ports[role], role === 'proxy' ? host : '127.0.0.1');
  const redirect = proxy.tls?.redirectHttp;
  if (role === 'proxy' && redirect) await checkPort('proxy.tls.redirectHttp', redirect, host);
}

/**
 * It is PM2 that will listen, and it may be allowed to where this process is not.
 *
 * @param key as a person knows the port, and the file that it is set in
 * @throws SlotsError `PORT_TAKEN`, `PORT_FORBIDDEN`, `CONFIG_INVALID` for an address that is not this machine's
 */
export async function checkPort(
  key: string,
  port: number,
  host: string,
  file = 'slots.config.ts',
  pm2MayListen: () => Promise<boolean> = daemonHasNetBind,
): Promise<void> {
  const error = await tryToListen(port, host);
  if (error === null) return;
  if (error.code === 'EADDRINUSE') throw taken(key, port, file);
  if (error.code !== 'EACCES') throw noAddress(key, host, error, file);
  if (!(await pm2MayListen())) throw forbidden(key, port);
  if (await somebodyAnswers(port, host)) throw taken(key, port, file);
}

async function tryToListen(port: number, host: string): Promise<NodeJS.ErrnoException | null> {
  const server = createServer();
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    server.once('error', resolve);
    server.listen(port, listenHost(host), () => resolve(null));
  });
  if (error === null) await new Promise((resolve) => server.close(resolve));
  return error;
}

/** Where nobody may listen to find out. */
function somebodyAnswers(port: number, host: string): Promise<boolean> {
  const isAny = host === '::' || host === '0.0.0.0';
  const socket = connect({ port, host: isAny ? 'localhost' : host });
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).finally(() => socket.destroy());
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

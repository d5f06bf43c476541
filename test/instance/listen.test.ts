import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';

const LISTEN = new URL('../../src/instance/listen.ts', import.meta.url).href;

/** A slot's process whose HTTP server, `server`, is told to listen by `site`. */
async function startSite(site: string): Promise<number> {
  const [port = 0] = await freePorts(1);
  const script = `
    const { listenOnLoopback } = await import(${JSON.stringify(LISTEN)});
    listenOnLoopback(${port});
    const { createServer } = await import('node:http');
    const server = createServer((_request, response) => response.end());
    server.on('listening', () => process.send('listening'));
    const port = ${port};
    ${site}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  return port;
}

function canConnect(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
}

/** Where a machine has no address but loopback's, another one of those shows whether the site is on all. */
function otherAddress(): string {
  const all = Object.values(networkInterfaces()).flat();
  const outer = all.find((address) => address?.family === 'IPv4' && !address.internal);
  return outer?.address ?? '127.0.0.2';
}

test.each([
  ['every address', "server.listen(port, '0.0.0.0');"],
  ['every address of both kinds', "server.listen({ port, host: '::', ipv6Only: true });"],
  ['no address', 'server.listen(port);'],
  ['no address, and for a backlog', 'server.listen(port, 511, () => {});'],
  ['the port as a string', 'server.listen(String(port));'],
  ['an address in an object', "server.listen({ port, host: '0.0.0.0' });"],
])('a site that asks for %s is on the loopback address only', async (_name, site) => {
  const port = await startSite(site);
  expect(await canConnect('127.0.0.1', port)).toBe(true);
  expect(await canConnect(otherAddress(), port)).toBe(false);
});

test('a site’s server on another port than its slot’s listens where the site says', async () => {
  const [other = 0] = await freePorts(1);
  await startSite(`
    const { createServer: create } = await import('node:net');
    create().listen(${other}, '127.0.0.2', () => server.listen(port));`);
  expect(await canConnect('127.0.0.2', other)).toBe(true);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const LISTEN = new URL('../../src/instance/listen.ts', import.meta.url).href;

/** A process whose HTTP server, `server`, is told to listen by `site`; it answers with the address of its visitor. */
async function startSite(site: string) {
  const [port = 0] = await freePorts(1);
  const socket = join(await tempFolder(), 'run', 'blue-0.sock');
  const script = `
    const { listenForSlot } = await import(${JSON.stringify(LISTEN)});
    const asked = [];
    listenForSlot({
      port: ${port},
      socket: ${JSON.stringify(socket)},
      onAsked: (each) => asked.push(each),
    });
    const { createServer } = await import('node:http');
    const server = createServer(async (request, response) => {
      if (request.url === '/slow') {
        process.send('asked');
        await new Promise((resolve) => process.once('message', resolve));
      }
      response.end(process.pid + ' ' + request.socket.remoteAddress);
    });
    const port = ${port};
    ${site}`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ofAnyServer = [socket, join(dirname(socket), 'tcpblue-0.sock')];
  await until(() => ofAnyServer.some((path) => existsSync(path)), 'its socket');
  return { child, port, socket };
}

function ask(socketPath: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: false }, (answer) => {
      text(answer).then(resolve, reject);
    });
    outgoing.on('error', reject).end();
  });
}

function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    onTestFinished(() => void socket.destroy());
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
  const { port } = await startSite(site);
  expect(await canConnect('127.0.0.1', port)).toBe(true);
  expect(await canConnect(otherAddress(), port)).toBe(false);
});

test('connections of the Unix socket are the site’s own, from the loopback address, for this user only', async () => {
  const { child, socket } = await startSite('server.listen(port);');
  expect(await ask(socket)).toBe(`${child.pid} 127.0.0.1`);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
});

test('a site that closes its server waits for what came over the Unix socket, and takes no more', async () => {
  const { child, socket } = await startSite(
    "server.listen(port); process.on('SIGTERM', () => server.close(() => process.exit(7)));",
  );
  const asked = once(child, 'message');
  const answer = ask(socket, '/slow');
  await asked;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await until(() => !existsSync(socket), 'the socket to be gone');
  await expect(ask(socket)).rejects.toThrow();
  child.send('go on');
  expect(await answer).toBe(`${child.pid} 127.0.0.1`);
  expect(await gone).toEqual([7, null]);
});

test('a server on another port listens where the site says, and every port that is asked for is told', async () => {
  const [other = 0] = await freePorts(1);
  const { child, port } = await startSite(`
    server.listen(port);
    const { createServer: create } = await import('node:net');
    create().listen(${other}, '127.0.0.2', () => process.send(asked));`);
  const [asked] = await once(child, 'message');
  expect(asked).toEqual([port, other]);
  expect(await canConnect('127.0.0.2', other)).toBe(true);
});

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { servePublicPort } from '../../src/proxy/public-port.ts';
import { freePorts } from '../support/free-ports.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

/** A server that listens as a worker does. */
async function listening(): Promise<{ server: Server; port: number; accepted: Socket[] }> {
  const [port = 0] = await freePorts(1);
  const server = createServer();
  const accepted: Socket[] = [];
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    accepted.push(socket);
  });
  const run = join(await tempFolder(), 'run');
  const worker = { number: 0, run, log: pino({ level: 'silent' }), onError() {} };
  const place = await servePublicPort(server, { name: 'proxy', port, host: '127.0.0.1' }, worker);
  onTestFinished(() => {
    place?.leave();
    server.close();
    for (const socket of accepted) socket.destroy();
  });
  return { server, port, accepted };
}

/** So many connections that wait in the accept queue before the event loop's next turn. */
function connectAtOnce(port: number, count: number): Socket[] {
  return Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void socket.destroy());
    return socket;
  });
}

test('a worker accepts four connections in one turn of the event loop', async () => {
  const { server, port, accepted } = await listening();
  let inTurn = 0;
  let most = 0;
  server.on('connection', () => {
    if (inTurn++ === 0) setImmediate(() => (inTurn = 0));
    most = Math.max(most, inTurn);
  });
  connectAtOnce(port, 20);
  await until(() => accepted.length === 20, 'all connections');
  expect(most).toBe(4);
});

test('connections by all handles count for the limit and for who waits for their end', async () => {
  const { server, port, accepted } = await listening();
  server.maxConnections = 5;
  const clients = connectAtOnce(port, 20);
  await until(() => clients.filter(({ closed }) => closed).length === 15, 'the end of 15');
  expect(accepted).toHaveLength(5);
  const open = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  expect(open).toBe(5);
});

test('a server that closes accepts by none of its handles', async () => {
  const { server, port } = await listening();
  const closed = once(server, 'close');
  server.close();
  await closed;
  const [client] = connectAtOnce(port, 1) as [Socket];
  const [error] = await once(client, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
});

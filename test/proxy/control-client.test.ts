import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type ControlHandlers, connectController } from '../../src/proxy/control-client.ts';
import { lines } from '../../src/wire/lines.ts';
import { type FromWorker, MAX_LINE_BYTES, type ToWorker } from '../../src/wire/messages.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { testAssignment, testReport } from '../support/test-assignment.ts';
import { until } from '../support/until.ts';

/** One connection of the worker, as a controller sees it. */
interface Link {
  request: IncomingMessage;
  socket: Socket;
  said: FromWorker[];
  send(message: ToWorker): void;
}

/** A controller that takes workers in and says nothing by itself. */
async function startController(refuse?: RequestListener) {
  const socketPath = join(await tempFolder('ctl-'), 's.sock');
  const links: Link[] = [];
  const server = createServer(refuse);
  const take = (request: IncomingMessage, socket: Socket) => {
    const said: FromWorker[] = [];
    const ignore = () => {};
    socket.on('error', ignore).on(
      'data',
      lines((line) => said.push(JSON.parse(line)), ignore),
    );
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: slots-worker\r\n\r\n',
    );
    const send = (message: ToWorker) => void socket.write(`${JSON.stringify(message)}\n`);
    links.push({ request, socket, said, send });
  };
  if (!refuse) server.on('upgrade', take);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    for (const { socket } of links) socket.destroy();
  });
  const link = (nth = 0) => until(() => links[nth], `connection ${nth}`);
  return { server, socketPath, links, link, take };
}

/** A worker's handlers that note what they are told. */
function notingHandlers() {
  const told: unknown[] = [];
  const handlers: ControlHandlers = {
    onAssignment({ epoch, revision }, taken) {
      told.push(epoch);
      taken({ epoch, revision });
    },
    onFill: async () => 0,
    onCut: (slot) => void told.push(`cut ${slot}`),
    onPurge(paths, tags) {
      told.push(['purge', ...paths, ...tags.map((tag) => `tag ${tag}`)].join(' '));
      return paths.length + tags.length;
    },
    report: () => testReport({ blue: told.length, green: 0 }),
  };
  return { told, handlers };
}

test('a worker names itself to the controller, by its pid', async () => {
  const { socketPath, link } = await startController();
  connectController(socketPath, notingHandlers().handlers);
  const { request } = await link();
  expect(request.headers).toMatchObject({
    upgrade: 'slots-worker',
    'x-slots-pid': String(process.pid),
  });
});

test('an assignment is taken over before it is acknowledged, and counts follow at once', async () => {
  const { socketPath, link } = await startController();
  const { told, handlers } = notingHandlers();
  connectController(socketPath, handlers);
  const { send, said } = await link();
  send({ type: 'assignment', assignment: testAssignment(7, 3) });
  await until(() => said.length === 2, 'both messages');
  expect(told).toEqual([7]);
  expect(said).toEqual([
    { type: 'ack', epoch: 7, revision: 3 },
    // Controllers before version 0.2 refuse a report without an epoch.
    { epoch: 0, ...testReport({ blue: 1, green: 0 }) },
  ]);
});

test('the controller’s word to cut a slot reaches the worker', async () => {
  const { socketPath, link } = await startController();
  const { told, handlers } = notingHandlers();
  connectController(socketPath, handlers);
  (await link()).send({ type: 'cut', slot: 'green' });
  await until(() => told.includes('cut green'), 'the word');
});

test('a report is sent while there is a controller, and dropped while there is none', async () => {
  const { socketPath, link } = await startController();
  const control = connectController(socketPath, notingHandlers().handlers);
  control.sendReport();
  const { said } = await link();
  await until(() => {
    control.sendReport();
    return said.length > 0;
  }, 'a report');
  expect(said[0]).toEqual({ epoch: 0, ...testReport({ blue: 0, green: 0 }) });
});

test('a worker comes back whenever its connection breaks', async () => {
  const { socketPath, link } = await startController();
  const { told, handlers } = notingHandlers();
  connectController(socketPath, handlers);
  (await link(0)).socket.destroy();
  (await link(1)).socket.end();
  (await link(2)).send({ type: 'assignment', assignment: testAssignment(2) });
  await until(() => told.includes(2), 'the assignment');
});

test('a worker whose controller is not there yet finds it once it is', async () => {
  const { server, socketPath, links, link } = await startController();
  await new Promise((resolve) => server.close(resolve));
  connectController(socketPath, notingHandlers().handlers);
  expect(links).toHaveLength(0);
  server.listen(socketPath);
  await link();
});

test('a controller that refuses a worker is asked again', async () => {
  let asked = 0;
  const { socketPath } = await startController((_request, response) => {
    asked++;
    response.writeHead(409).end('no');
  });
  connectController(socketPath, notingHandlers().handlers);
  await until(() => asked >= 2, 'a second try');
});

test('a connection that brings a line without an end is given up for a new one', async () => {
  const { socketPath, link } = await startController();
  const { told, handlers } = notingHandlers();
  connectController(socketPath, handlers);
  const { socket } = await link(0);
  socket.write(`${'x'.repeat(MAX_LINE_BYTES + 1)}\n`);
  (await link(1)).send({ type: 'cut', slot: 'blue' });
  await until(() => told.includes('cut blue'), 'the word');
});

test('a socket that is not the site’s own is not even connected to', async () => {
  const { socketPath, links, link } = await startController();
  let trusted = false;
  let asked = 0;
  connectController(socketPath, notingHandlers().handlers, () => {
    asked++;
    return trusted;
  });
  await until(() => asked >= 3, 'three looks');
  expect(links).toHaveLength(0);
  trusted = true;
  await link();
});

test('what comes along with the controller’s 101 is not lost', async () => {
  const { server, socketPath, take } = await startController();
  server.removeListener('upgrade', take);
  server.on('upgrade', (_request, socket) => {
    const message: ToWorker = { type: 'cut', slot: 'green' };
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: slots-worker\r\n\r\n${JSON.stringify(message)}\n`,
    );
    onTestFinished(() => void socket.destroy());
  });
  const { told, handlers } = notingHandlers();
  connectController(socketPath, handlers);
  await until(() => told.includes('cut green'), 'the word');
});

test('a worker that is told to purge answers how much it has forgotten', async () => {
  const { socketPath, link } = await startController();
  const { told, handlers } = notingHandlers();
  connectController(socketPath, handlers);
  const { send, said } = await link();
  send({ type: 'purge', id: 7, paths: ['/a', '/b'] });
  await until(() => said.length > 0, 'an answer');
  expect(said[0]).toEqual({ type: 'purged', id: 7, urls: 2 });
  expect(told).toEqual(['purge /a /b']);
  send({ type: 'purge', id: 8, paths: [], tags: ['post'] });
  await until(() => said.length > 1 && told.length > 1, 'another answer');
  expect(told.at(-1)).toBe('purge tag post');
});

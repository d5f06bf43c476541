/** One worker of the front, as PM2 runs it: the data planes of several sites behind two ports. */

import type { Server } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { type FrontConfig, frontSchema, loadFrontConfig } from '../config/front.ts';
import { FRONT_STARTED_VARIABLE } from '../config/front-app.ts';
import { listenHost } from '../config/listen-host.ts';
import { outliveDaemon, tellListening } from '../outlive-daemon.ts';
import { servePublicPort } from '../proxy/public-port.ts';
import { homePaths } from '../slots/home.ts';
import { endWhenUnneeded, whenReplaced } from '../slots/orphan.ts';
import { type RunSocket, takeRunSocket } from '../slots/run-socket.ts';
import { STATUS_SOCKET } from '../wire/front-status.ts';
import { createDoor } from './door.ts';
import { createSites } from './sites.ts';
import { workerStatus } from './status.ts';

const home = homePaths();
// To standard output by pino's default stream: any other lands in the PM2 daemon's own log (hazard 7).
const log = pino({ name: 'front', base: { pid: process.pid } });
const config = readConfig();
const number = Number(process.env.NODE_APP_INSTANCE ?? 0);
const sites = createSites({ home, config, number, log });
const door = createDoor({ config, ...sites });
const share: RunSocket[] = [];

process.once('SIGINT', () => stop('SIGINT'));
// What is registered is served before the first connection is taken.
await sites.follow();
await listen().catch(failToListen);
log.info({ event: 'worker.listen', ...config.ports, sites: sites.all().length }, 'listening');

outliveDaemon(() => {
  log.warn({ event: 'worker.orphaned' }, 'PM2 is gone: serving on until another worker takes over');
  const paths = { slots: home.home, run: home.run };
  endWhenUnneeded({
    paths,
    sockets: share,
    whyUnneeded: whenReplaced(STATUS_SOCKET, 'the front'),
    end: stop,
  });
});
// Only now may PM2 end the worker that this one replaces.
tellListening(door.plain);

/** A file that is broken just now must not keep a worker from coming back. */
function readConfig(): FrontConfig {
  try {
    return loadFrontConfig(home.frontConfig);
  } catch (error) {
    const { message } = error as Error;
    log.error({ event: 'front.bad-config', error: message }, `${message}; the one before counts`);
    try {
      return frontSchema.parse(JSON.parse(process.env[FRONT_STARTED_VARIABLE] ?? '{}'));
    } catch {
      return frontSchema.parse({});
    }
  }
}

function failToListen(error: Error): never {
  log.fatal({ event: 'worker.listen-failed', error: error.message }, error.message);
  process.exit(1);
}

async function listen(): Promise<void> {
  const host = listenHost(config.host);
  const worker = { number, run: home.run, log, onError: failToListen };
  const servers: { server: Server; name: string; port: number }[] = [
    { server: door.plain, name: 'http', port: config.ports.http },
    { server: door.secure, name: 'https', port: config.ports.https },
  ];
  for (const { server, name, port } of servers) {
    const socket = await servePublicPort(server, { name, port, host }, worker);
    if (socket) share.push(socket);
  }
  const status = join(home.run, `${STATUS_SOCKET}-${number}.sock`);
  const told = await takeRunSocket(status, (socket) => {
    socket.on('error', () => {}).end(`${JSON.stringify(workerStatus(sites, door))}\n`);
  });
  share.push(told);
}

async function stop(why: string): Promise<void> {
  log.info({ event: 'worker.stop', why }, `stopping (${why}): no new connections`);
  for (const socket of share) socket.leave();
  for (const server of [door.plain, door.secure]) server.close();
  for (const { plane } of sites.all()) plane.stop();
  await door.undecided.settle();
  await sites.end(config.drainTimeoutMs);
  log.info({ event: 'worker.stopped' }, 'stopped');
  process.exit(0);
}

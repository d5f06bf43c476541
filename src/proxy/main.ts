/** One worker of the proxy, as PM2 runs it. */
import { resolve } from 'node:path';
import pino from 'pino';
import { listenHost } from '../config/listen-host.ts';
import { loadWorkerConfig } from '../config/started.ts';
import { SlotsError } from '../errors.ts';
import { outliveDaemon, tellListening } from '../outlive-daemon.ts';
import { endWhenUnneeded, whenReplaced } from '../slots/orphan.ts';
import { sitePaths } from '../slots/paths.ts';
import type { RunSocket } from '../slots/run-socket.ts';
import { siteRoot } from '../slots/site-root.ts';
import { followController } from './follow-controller.ts';
import { servePublicPort } from './public-port.ts';
import { createSitePlane } from './site-plane.ts';
import { stopServing } from './stop.ts';
import { followCertificate } from './visitor/certificate.ts';
import { openCertificates } from './visitor/certificates.ts';
import { createChallengeAnswers } from './visitor/challenges.ts';
import { createRedirect } from './visitor/redirect.ts';

const root = siteRoot(process.env.SLOTS_ROOT ?? process.cwd());
// To standard output by pino's default stream: any other lands in the PM2 daemon's own log (hazard 7).
const log = pino({ name: 'proxy', base: { pid: process.pid } });
const paths = sitePaths(root);

/** Say a fault of the config or the certificate in one line, without a stack. */
async function prepare() {
  try {
    const config = loadWorkerConfig(root);
    const { tls } = config.proxy;
    if (tls?.cert) tls.cert = resolve(root, tls.cert);
    if (tls?.key) tls.key = resolve(root, tls.key);
    const challenges = createChallengeAnswers();
    const certificates = tls?.acme ? await openCertificates(paths, tls.acme.hosts, log) : null;
    return {
      config,
      certificates,
      challenges,
      plane: createSitePlane(
        { config, paths, log },
        { certificates: certificates ? { certificates, challenges } : undefined },
      ),
    };
  } catch (error) {
    if (!(error instanceof SlotsError)) throw error;
    log.fatal({ event: 'worker.start-failed', code: error.code }, error.message);
    process.exit(1);
  }
}

const { config, plane, certificates, challenges } = await prepare();

await followController({ plane, challenges, paths, log });

const failToListen = (error: Error) => {
  log.fatal({ event: 'worker.listen-failed', error: error.message }, error.message);
  process.exit(1);
};
const host = listenHost(config.host);
const { tls } = config.proxy;
const redirect = tls?.redirectHttp
  ? createRedirect(config.proxy, config.ports.proxy, {
      certificates,
      challenges,
      ready: plane.readyAnswers,
    })
  : null;
const share: RunSocket[] = [];
process.once('SIGINT', () => stop('SIGINT'));
await listen().catch(failToListen);
const { epoch, active } = plane.current();
log.info({ event: 'worker.listen', port: config.ports.proxy, epoch, active }, 'listening');
follow();

outliveDaemon(() => {
  log.warn({ event: 'worker.orphaned' }, 'PM2 is gone: serving on until another worker takes over');
  endWhenUnneeded({
    paths,
    sockets: share,
    whyUnneeded: whenReplaced('proxy', 'the proxy'),
    end: stop,
  });
});
// Only now may PM2 end the worker that this one replaces.
tellListening(plane.server);

/** Uses newer certificates as they appear. */
function follow(): void {
  const server = plane.server as never;
  if (certificates) certificates.follow(server);
  else if (tls?.cert && tls.key) followCertificate(server, { cert: tls.cert, key: tls.key }, log);
}

async function listen(): Promise<void> {
  const worker = {
    number: Number(process.env.NODE_APP_INSTANCE ?? 0),
    run: paths.run,
    log,
    onError: failToListen,
  };
  const servers = [{ server: plane.server, name: 'proxy', port: config.ports.proxy }];
  if (redirect && tls?.redirectHttp) {
    servers.push({ server: redirect, name: 'redirect', port: tls.redirectHttp });
  }
  for (const { server, name, port } of servers) {
    const socket = await servePublicPort(server, { name, port, host }, worker);
    if (socket) share.push(socket);
  }
}

async function stop(why: string): Promise<void> {
  log.info({ event: 'worker.stop', why }, `stopping (${why}): no new connections`);
  for (const socket of share) socket.leave();
  // Its answers are at once, and each is a connection's last.
  redirect?.close();
  await stopServing(plane, config.drainTimeoutMs);
  plane.flushLog();
  log.info({ event: 'worker.stopped' }, 'stopped');
  process.exit(0);
}

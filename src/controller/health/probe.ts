import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Config } from '../../config/schema.ts';
import { PID_HEADER, PROBE_HEADER, RELEASE_HEADER } from '../../slots/headers.ts';
import type { Slot } from '../../slots/slot.ts';
import { instanceSockets } from '../../wire/instance-socket.ts';

export interface ProbeAnswer {
  status: number;
  /** The release that the answering instance serves, or `null` when the server is not one of ours. */
  release: string | null;
  pid: number | null;
  /** Where a redirect leads, as it came. */
  location: string | null;
  setsCookie: boolean;
}

/** The probe's answer, or the error that came instead of one: what `judge` takes. */
export function tryProbe(...question: Parameters<typeof probe>): Promise<ProbeAnswer | Error> {
  return probe(...question).catch((error: Error) => error);
}

type ProbedConfig = Pick<Config, 'ports' | 'health'>;

/**
 * The configured question to each instance of a slot, at its own socket: the kernel gives a port's connections to any of those
 * that listen there. An instance without a socket has not started, or has a server that is not HTTP's: the port answers for it.
 *
 * @param run the site's folder of sockets (`SitePaths.run`)
 */
export function tryProbeInstances(
  config: ProbedConfig & Pick<Config, 'instances'>,
  run: string,
  slot: Slot,
): Promise<(ProbeAnswer | Error)[]> {
  const { path, timeoutMs, host = `127.0.0.1:${config.ports[slot]}` } = config.health;
  const probes = instanceSockets(run, slot, config.instances).map(async (socket) => {
    const answer = await tryProbe(socket, path, timeoutMs, false, undefined, host);
    const isMissing = answer instanceof Error && 'code' in answer && answer.code === 'ENOENT';
    return isMissing ? tryProbeSlot(config, slot) : answer;
  });
  return Promise.all(probes);
}

/** The configured question to any of a slot's instances. */
export function tryProbeSlot(
  { ports, health }: ProbedConfig,
  slot: Slot,
): Promise<ProbeAnswer | Error> {
  const { path, timeoutMs, host } = health;
  return tryProbe(ports[slot], path, timeoutMs, false, undefined, host);
}

/**
 * One GET on a connection of its own: over a kept-alive one the same instance would answer for ever.
 *
 * @param at a port, or the path of a Unix socket
 * @param timeoutMs limit for the whole answer's head, in milliseconds
 * @param overTls with any certificate: it is our own on loopback, and made for another name
 * @param listensOn the address that the server was told to listen on
 * @param named what is said as `Host`; the address and the port by default
 * @throws Error when nothing answers in time
 */
export function probe(
  at: number | string,
  path: string,
  timeoutMs: number,
  overTls = false,
  listensOn = '127.0.0.1',
  named?: string,
): Promise<ProbeAnswer> {
  const request = overTls ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...(typeof at === 'string' ? { socketPath: at } : { host: reachable(listensOn), port: at }),
      path,
      agent: false,
      rejectUnauthorized: false,
      headers: {
        [PROBE_HEADER]: '1',
        connection: 'close',
        'user-agent': 'slots-probe',
        ...(named !== undefined && { host: named }),
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      answer.on('error', () => {});
      answer.destroy();
      const release = answer.headers[RELEASE_HEADER];
      const pid = Number(answer.headers[PID_HEADER]);
      resolve({
        status: answer.statusCode ?? 0,
        release: typeof release === 'string' ? release : null,
        pid: Number.isInteger(pid) ? pid : null,
        location: answer.headers.location ?? null,
        setsCookie: answer.headers['set-cookie'] !== undefined,
      });
    });
    outgoing.end();
  });
}

/** Ask a listener on every address on loopback. */
function reachable(listensOn: string): string {
  return ['0.0.0.0', '::', 'localhost'].includes(listensOn) ? '127.0.0.1' : listensOn;
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** A front of its own, and sites behind it, under one PM2. */
import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { type Agent, type IncomingHttpHeaders, request } from 'node:http';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { FrontStatus } from '../../src/cli/front/status.ts';
import type { UserConfig } from '../../src/config/schema.ts';
import { freePorts } from './free-ports.ts';
import { type PlainSite, plainSite } from './plain-site.ts';
import { signalProcess } from './processes.ts';
import { BIN, type CommandResult, cleanEnvironment, disposeOfPm2, runToEnd } from './site.ts';

const DISPOSE_TIMEOUT_MS = 120_000;
const GET_TIMEOUT_MS = 30_000;

export interface TestFront {
  slotsHome: string;
  pm2Home: string;
  ports: { http: number; https: number };
  /** A site that is not started yet. */
  site(config: UserConfig): Promise<PlainSite>;
  /** Runs `slots front …`. */
  run(...args: string[]): Promise<CommandResult>;
  status(): Promise<FrontStatus>;
  /** Ends the PM2 daemon and nothing else, at once. */
  killDaemon(): Promise<void>;
  get(host: string, path?: string, options?: GetOptions): Promise<Answer>;
}

export interface GetOptions {
  agent?: Agent | false;
  /** Over TLS, with this as the name of the handshake. */
  servername?: string;
  method?: string;
}

export interface Answer {
  status: number;
  body: string;
  headers: IncomingHttpHeaders;
}

/** @param settings of front.json, besides its ports */
export async function testFront(settings: object = {}): Promise<TestFront> {
  const slotsHome = await realpath(await mkdtemp(join(tmpdir(), 'h-')));
  const pm2Home = await mkdtemp(join(tmpdir(), 's-'));
  const [http = 0, https = 0] = await freePorts(2);
  const ports = { http, https };
  const config = { host: '127.0.0.1', drainTimeoutMs: 5000, ...settings, ports };
  await writeFile(join(slotsHome, 'front.json'), JSON.stringify(config));
  const sites: PlainSite[] = [];
  const env = { ...cleanEnvironment(pm2Home), SLOTS_HOME: slotsHome };
  const run = (...args: string[]) => {
    const all = ['front', ...args];
    return runToEnd(spawn(process.execPath, [BIN, ...all], { cwd: slotsHome, env }), all);
  };
  onTestFinished(async () => {
    const ended = await Promise.allSettled(sites.map((site) => site.dispose()));
    await run('down');
    await disposeOfPm2(pm2Home);
    await rm(slotsHome, { recursive: true, force: true });
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
  }, DISPOSE_TIMEOUT_MS);
  return {
    slotsHome,
    pm2Home,
    ports,
    async site(config) {
      const site = await plainSite({ config, shared: { pm2Home, slotsHome }, cleanup: 'caller' });
      sites.push(site);
      return site;
    },
    run,
    status: async () => JSON.parse((await run('status', '--json')).stdout) as FrontStatus,
    async killDaemon() {
      const pid = await sites[0]?.daemonPid();
      if (pid) signalProcess(pid, 'SIGKILL');
    },
    get: (host, path = '/', options = {}) => ask(ports, host, path, options),
  };
}

function ask(
  ports: TestFront['ports'],
  host: string,
  path: string,
  { agent = false, servername, method = 'GET' }: GetOptions,
): Promise<Answer> {
  const options = { host: '127.0.0.1', path, method, agent, headers: { host } };
  return new Promise((resolve, reject) => {
    const outgoing =
      servername === undefined
        ? request({ ...options, port: ports.http })
        : requestTls({ ...options, port: ports.https, servername, rejectUnauthorized: false });
    outgoing.setTimeout(GET_TIMEOUT_MS, () => outgoing.destroy(new Error('no answer in time')));
    outgoing.on('error', reject);
    outgoing.on('response', (answer) => {
      const { statusCode: status = 0, headers } = answer;
      text(answer).then((body) => resolve({ status, body, headers }), reject);
    });
    outgoing.end();
  });
}

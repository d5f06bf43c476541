import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { type Agent, get, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished, type TestContext } from 'vitest';
import { callController } from '../../src/cli/client.ts';
import type { AppRole } from '../../src/config/ecosystem.ts';
import type { Config, UserConfig } from '../../src/config/schema.ts';
import type { Status } from '../../src/controller/admin/status.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { freePorts } from './free-ports.ts';
import { isAlive, pm2App, processesWith, signalProcess } from './processes.ts';
import { siteStory } from './site-story.ts';
import { until } from './until.ts';

/** A site of its own in a temporary folder, with a PM2 of its own. */
export interface Site {
  name: string;
  root: string;
  ports: Config['ports'];
  /** Where visitors go. */
  origin: string;
  /** What `slots` runs with: nothing of the test runner's, and the site's own `PM2_HOME`. */
  env: Record<string, string>;
  /** Each command that has run to its end by `slots`. */
  commands: (CommandResult & { args: string[] })[];
  /** Runs `slots -C <root> …` to its end. */
  slots(...args: string[]): Promise<CommandResult>;
  /** Starts `slots -C <root> …` for a test that talks to it while it runs. */
  spawn(...args: string[]): ChildProcess;
  /** One request of a visitor, on a connection of its own unless an agent keeps one. */
  get(path?: string, agent?: Agent, headers?: OutgoingHttpHeaders): Promise<Page>;
  /** What the controller says now; rejects when none answers. */
  status(): Promise<Status>;
  /** Waits until no promotion runs and no edit waits. */
  settled(timeoutMs?: number): Promise<Status>;
  /** Changes what visitors see. */
  edit(what: string, text: string): Promise<void>;
  /** The site's running processes by PM2 app. */
  pids(): Promise<Record<AppRole, number[]>>;
  /** The pid of the site's PM2 daemon, or `null`. */
  daemonPid(): Promise<number | null>;
  /** Ends and removes everything; throws when a process had to be ended that should have ended by itself. */
  dispose(): Promise<void>;
}

export interface Page {
  status: number;
  body: string;
  headers: IncomingHttpHeaders;
  release: string | null;
}

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface SiteOptions {
  /** Goes over the defaults; `health` and `proxy` key by key. */
  config?: UserConfig;
  /** A PM2 and a front that others use too; whoever made them ends them. */
  shared?: { pm2Home: string; slotsHome: string };
  /** Who disposes of the site: the end of the test, or whoever asked for it. */
  cleanup?: 'test' | 'caller';
}

export const BIN = fileURLToPath(new URL('../../bin/slots.js', import.meta.url));
const COMMAND_TIMEOUT_MS = 120_000;
const DISPOSE_TIMEOUT_MS = 60_000;
const END_TIMEOUT_MS = 10_000;
/** Longer than the slowest answer that a test asks for: `kills` holds a drain for 15 s. */
const GET_TIMEOUT_MS = 30_000;

/** The parts of a site that depend on its kind. */
export interface SiteKind {
  config: UserConfig;
  fill(root: string): Promise<void>;
  edit(root: string, what: string, text: string): Promise<void>;
}

export async function createSite(kind: SiteKind, options: SiteOptions): Promise<Site> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'slots-')));
  // Short, because PM2's sockets lie in it and a socket's path is cut at about 107 bytes.
  const home = options.shared?.pm2Home ?? (await mkdtemp(join(tmpdir(), 's-')));
  const site = describeSite(kind, root, home, await choosePorts(kind, options));
  if (options.shared) {
    site.env.SLOTS_HOME = options.shared.slotsHome;
    site.dispose = () => disposeOfShared(site);
  }
  if (options.cleanup !== 'caller') onTestFinished(endWithTest(site), DISPOSE_TIMEOUT_MS);
  await kind.fill(root);
  const config = {
    ...mergeConfig(kind.config, options.config),
    name: site.name,
    ports: site.ports,
  };
  await writeFile(join(root, 'slots.config.json'), `${JSON.stringify(config, null, 2)}\n`);
  return site;
}

function endWithTest(site: Site): (context: TestContext) => Promise<void> {
  return async ({ task }) => {
    try {
      if (task.result?.state === 'fail') console.error(await siteStory(site));
    } finally {
      await site.dispose();
    }
  };
}

async function choosePorts(kind: SiteKind, options: SiteOptions): Promise<Config['ports']> {
  const [proxy = 0, blue = 0, green = 0, admin = 0] = await freePorts(4);
  return { proxy, blue, green, admin, ...kind.config.ports, ...options.config?.ports };
}

function mergeConfig(base: UserConfig, over: UserConfig = {}): UserConfig {
  return {
    host: '127.0.0.1',
    ...base,
    ...over,
    health: { ...base.health, ...over.health },
    proxy: { ...base.proxy, ...over.proxy },
  };
}

function describeSite(kind: SiteKind, root: string, home: string, ports: Config['ports']): Site {
  const name = `t${root.slice(-6)}`;
  const env = cleanEnvironment(home);
  const status = () => callController<Status>(sitePaths(root), 'GET', '/api/status');
  const start = (...args: string[]) =>
    spawn(process.execPath, [BIN, '-C', root, ...args], { cwd: root, env });
  const origin = `http://127.0.0.1:${ports.proxy}`;
  const site: Site = {
    name,
    root,
    ports,
    env,
    status,
    origin,
    get: (path = '/', agent, headers = {}) => getPage(origin + path, agent, headers),
    commands: [],
    async slots(...args) {
      const result = await runToEnd(start(...args), args);
      site.commands.push({ args, ...result });
      return result;
    },
    spawn: start,
    async settled(timeoutMs = 30_000) {
      let last = await status();
      await until(
        async () => {
          last = await status();
          return last.promotion === null && last.watcher.pending === 0;
        },
        `the promotion of ${name} to end`,
        timeoutMs,
      );
      return last;
    },
    edit: (what, text) => kind.edit(root, what, text),
    pids: () => pidsByRole(name, root),
    daemonPid: () => daemonPid(home),
    dispose: () => dispose(site, home),
  };
  return site;
}

export function getPage(
  url: string,
  agent: Agent | false = false,
  headers: OutgoingHttpHeaders = {},
): Promise<Page> {
  return new Promise((resolve, reject) => {
    // `fetch` would keep the connection, and a proxy that stops waits a while for idle ones.
    const outgoing = get(url, { agent, headers, timeout: GET_TIMEOUT_MS }, (response) => {
      const { statusCode: status = 0, headers } = response;
      const release = (headers['x-slots-release'] as string | undefined) ?? null;
      text(response).then((body) => resolve({ status, body, headers, release }), reject);
    });
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${url}: no answer in time`)));
  });
}

export function cleanEnvironment(home: string): Record<string, string> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 22) throw new Error(`Node ${process.version} runs the tests; start them with npm`);
  const kept = ['HOME', 'LANG', 'TMPDIR', 'USER'].flatMap((key) => {
    const value = process.env[key];
    return value === undefined ? [] : [[key, value]];
  });
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  return { ...Object.fromEntries(kept), PATH: path, PM2_HOME: home };
}

export async function runToEnd(child: ChildProcess, args: string[]): Promise<CommandResult> {
  const result: CommandResult = { exitCode: null, stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      result[stream] += text;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_TIMEOUT_MS);
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, by) => {
      result.exitCode = code;
      resolve(by);
    });
  });
  clearTimeout(timer);
  if (signal === null) return result;
  throw new Error(`slots ${args.join(' ')} was ended by ${signal}: ${result.stderr}`);
}

async function pidsByRole(name: string, root: string): Promise<Record<AppRole, number[]>> {
  const found = await processesWith([root]);
  const of = (role: AppRole) =>
    found.filter((process) => pm2App(process) === `${name}-${role}`).map(({ pid }) => pid);
  return { watcher: of('watcher'), proxy: of('proxy'), blue: of('blue'), green: of('green') };
}

async function daemonPid(home: string): Promise<number | null> {
  const pid = Number(await readFile(join(home, 'pm2.pid'), 'utf8').catch(() => ''));
  return pid > 0 && isAlive(pid) ? pid : null;
}

async function dispose(site: Site, home: string): Promise<void> {
  const down = await site.slots('down');
  await endProcess(await daemonPid(home));
  const left = await processesWith([site.root, home]);
  for (const { pid } of left) signalProcess(pid, 'SIGKILL');
  await Promise.all([site.root, home].map((dir) => rm(dir, { recursive: true, force: true })));
  if (left.length > 0) {
    const list = left.map(({ pid, command }) => `${pid} ${command}`).join('\n');
    throw new Error(`left running by ${site.name} after \`slots down\`:\n${list}`);
  }
  if (down.exitCode !== 0) throw new Error(`slots down: ${down.stderr}`);
}

async function disposeOfShared(site: Site): Promise<void> {
  const down = await site.slots('down');
  await rm(site.root, { recursive: true, force: true });
  if (down.exitCode !== 0) throw new Error(`slots down: ${down.stderr}`);
}

/** Ends what runs still under this PM2, the daemon last, and removes its folder. */
export async function disposeOfPm2(home: string): Promise<void> {
  await endProcess(await daemonPid(home));
  for (const { pid } of await processesWith([home])) signalProcess(pid, 'SIGKILL');
  await rm(home, { recursive: true, force: true });
}

async function endProcess(pid: number | null): Promise<void> {
  if (pid === null) return;
  signalProcess(pid, 'SIGTERM');
  await until(() => !isAlive(pid), `process ${pid} to end`, END_TIMEOUT_MS).catch(() =>
    signalProcess(pid, 'SIGKILL'),
  );
}

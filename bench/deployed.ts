/**
 * `npm run bench:deployed`: the same site as users run it, under PM2 with every default, beside its parts alone.
 *
 * - Processor time of a request: all proxy workers and the PM2 daemon together, against one bare worker in front of the
 *   same slot; on kept connections, and on a new one each.
 * - From a build's end to the flip, of an app that boots in 0.3 s, against the boot of the same two processes by hand.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PROXY_NODE_ARGS } from '../src/config/ecosystem.ts';
import { readHistory } from '../src/slots/history.ts';
import { sitePaths } from '../src/slots/paths.ts';
import { freePorts } from '../test/support/free-ports.ts';
import { createSite, type Site } from '../test/support/site.ts';
import { until } from '../test/support/until.ts';
import { wrk } from './load.ts';
import { ownCpuSeconds, startPinned, stopAll, untilListening } from './processes.ts';
import { median } from './table.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 10);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2);
const PROMOTIONS = Number(process.env.BENCH_UPDATES ?? 10);
const CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;

/** Milliseconds that the app takes before it listens. */
const BOOT_MS = 300;

const SERVER = `import { createServer } from 'node:http';
const page = 'x'.repeat(2048);
await new Promise((resolve) => setTimeout(resolve, ${BOOT_MS}));
createServer((request, response) => response.end(page)).listen(Number(process.env.PORT), process.env.HOST);
`;

const BUILD = `import { cpSync, mkdirSync } from 'node:fs';
const [out] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
cpSync('content', out + '/content', { recursive: true });
cpSync('app.mjs', out + '/server.mjs');
`;

/** Some processes, and what their processor time is divided by. */
interface Measured {
  name: string;
  port: number;
  pids: number[];
}

const site = await createSite(
  {
    config: { watch: ['content'], build: 'node build.mjs {outDir}', entry: 'server.mjs' },
    async fill(root) {
      await writeFile(join(root, 'app.mjs'), SERVER);
      await writeFile(join(root, 'build.mjs'), BUILD);
      await writeFile(join(root, 'package.json'), '{"name":"deployed","type":"module"}');
      await mkdir(join(root, 'content'));
      await writeContent(root, 'first');
    },
    edit: (root, _what, text) => writeContent(root, text),
  },
  { cleanup: 'caller' },
);
try {
  const { exitCode, stderr } = await site.slots('up');
  if (exitCode !== 0) throw new Error(stderr);
  await processorTime(site);
  await fromBuildToFlip(site);
} finally {
  await stopAll();
  await site.dispose();
}

async function processorTime({ ports, pids, daemonPid }: Site): Promise<void> {
  const [port = 0] = await freePorts(1);
  const bare = startPinned('any', [process.execPath, ...PROXY_NODE_ARGS, here('peers/slots.js')], {
    NODE_ENV: 'production',
    PORT: String(port),
    ORIGIN: String(ports.blue),
    PROXY: '{}',
  });
  await untilListening(port);
  const deployed = [...(await pids()).proxy, (await daemonPid()) as number];
  const sides: Measured[] = [
    { name: 'under PM2, all workers and the daemon', port: ports.proxy, pids: deployed },
    { name: 'one bare worker', port, pids: [bare.pid as number] },
  ];
  console.log('| processor time of a request | kept connections | a new connection each |');
  console.log('|---|--:|--:|');
  const kept = await inTurn(sides, []);
  const fresh = await inTurn(sides, ['Connection: close']);
  for (const { name } of sides) {
    console.log(`| ${name} | ${cost(kept, name)} | ${cost(fresh, name)} |`);
  }
  console.log(`| ratio | ${costRatio(kept, sides)} | ${costRatio(fresh, sides)} |`);
}

/** Processor milliseconds a request, by round, of each side. */
async function inTurn(sides: Measured[], headers: string[]): Promise<Map<string, number[]>> {
  const rounds = new Map(sides.map(({ name }) => [name, [] as number[]]));
  for (const side of sides) await measure(side, headers, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of sides) rounds.get(side.name)?.push(await measure(side, headers, SECONDS));
  }
  return rounds;
}

async function measure({ name, port, pids }: Measured, headers: string[], seconds: number) {
  const used = () => pids.reduce((sum, pid) => sum + ownCpuSeconds(pid), 0);
  const before = used();
  const { requests, errors } = await wrk('any', `http://127.0.0.1:${port}/`, {
    connections: CONNECTIONS,
    seconds,
    headers,
  });
  if (requests === 0 || errors > 0)
    throw new Error(`${name}: ${errors} failed, ${requests} did not`);
  return ((used() - before) * 1000) / requests;
}

function cost(rounds: Map<string, number[]>, name: string): string {
  return `${median(rounds.get(name) ?? []).toFixed(3)} ms`;
}

function costRatio(rounds: Map<string, number[]>, sides: Measured[]): string {
  const [deployed = [], bare = []] = sides.map(({ name }) => rounds.get(name));
  return median(deployed.map((each, round) => each / (bare[round] as number))).toFixed(2);
}

async function fromBuildToFlip(of: Site): Promise<void> {
  const byHand: number[] = [];
  for (let count = 1; count <= PROMOTIONS; count++) {
    byHand.push(await bootByHand(of.root));
    await of.edit('content', `promotion ${count}`);
    await until(
      async () => (await readHistory(sitePaths(of.root))).length > count,
      `promotion ${count}`,
      60_000,
    );
  }
  const entries = (await readHistory(sitePaths(of.root))).slice(-PROMOTIONS);
  const stages = (['start', 'check', 'flip'] as const).map((stage) => ({
    stage,
    ms: median(entries.map(({ durationsMs }) => durationsMs[stage] ?? Number.NaN)),
  }));
  const total = median(
    entries.map(({ durationsMs: ms }) => (ms.start ?? 0) + (ms.check ?? 0) + (ms.flip ?? 0)),
  );
  const boot = median(byHand);
  const parts = stages.map(({ stage, ms }) => `${stage} ${ms} ms`).join(', ');
  console.log(
    `\nfrom a build's end to the flip: ${total} ms (${parts}), ${(total / boot).toFixed(2)} x the boot of the same two processes by hand, ${Math.round(boot)} ms; ${PROMOTIONS} promotions`,
  );
}

/** Milliseconds from the start of two processes of the app until both answer. */
async function bootByHand(root: string): Promise<number> {
  const ports = await freePorts(2);
  const began = performance.now();
  const children = ports.map((port) =>
    spawn(process.execPath, ['app.mjs'], {
      cwd: root,
      env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) },
      stdio: 'ignore',
    }),
  );
  await Promise.all(ports.map((port) => untilListening(port, 5)));
  const ms = performance.now() - began;
  await Promise.all(children.map(end));
  return ms;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  while (child.exitCode === null && child.signalCode === null) await delay(5);
}

function writeContent(root: string, text: string): Promise<void> {
  return writeFile(join(root, 'content/page.txt'), text);
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

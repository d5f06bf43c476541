/**
 * `npm run bench`: the data plane beside nginx, HAProxy, Caddy, Varnish and plain http-proxy-3, in one run. Each proxy is
 * pinned to one core, the load and the origin to the other; rounds go in turn, so that what the machine does
 * meanwhile meets everybody.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { h2load, wrk } from './load.ts';
import { makePeers, nginxConfig, type Peer, type Setting, versionOf, type Work } from './peers.ts';
import {
  assertFree,
  cpuSeconds,
  peakMemoryMiB,
  startPinned,
  stopAll,
  untilListening,
} from './processes.ts';
import { expectSameAnswer } from './same-answer.ts';
import { type Measured, type Rows, renderTable, summarise } from './table.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const ORIGIN_PORT = 19_080;
const FIRST_PORT = 19_100;

/** Many and short: what else a shared machine does lasts for seconds, and then meets whole rounds. */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 20);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 1);
const WARM_UP_SECONDS = 3;

/** Of the origin's files: nginx says 304 to exactly this date only, and gives the whole answer to any other. */
const MODIFIED = new Date('2026-01-31T12:00:00Z');

interface Scenario {
  name: string;
  path: string;
  connections: number;
  headers?: string[];
  /** A Lua script for wrk. */
  script?: string;
  /** Over TLS; with `streams` as HTTP/2, so many requests at a time on each connection. */
  tls?: boolean;
  streams?: number;
  /** What the proxies do that take part; they pass answers on if nothing is said. */
  does?: Work;
}

const SCENARIOS: Scenario[] = [
  { name: '2 KiB, 64 keep-alive connections', path: '/2k', connections: 64 },
  { name: '64 KiB, 64 keep-alive connections', path: '/64k', connections: 64 },
  {
    name: '2 KiB, a new connection each',
    path: '/2k',
    connections: 64,
    headers: ['Connection: close'],
  },
  {
    name: '64 KiB, a new connection each',
    path: '/64k',
    connections: 64,
    headers: ['Connection: close'],
  },
  { name: '2 KiB, one connection (added latency)', path: '/2k', connections: 1 },
  {
    name: '2 KiB, 5 % POSTs of 4 KiB among the GETs, 64 keep-alive connections',
    path: '/2k',
    connections: 64,
    script: 'mixed.lua',
  },
  { name: '2 KiB over TLS, 64 keep-alive connections', path: '/2k', connections: 64, tls: true },
  {
    name: '2 KiB, HTTP/2 over TLS, 16 connections of 16 streams',
    path: '/2k',
    connections: 16,
    tls: true,
    streams: 16,
  },
  {
    name: 'from memory: 2 KiB, 64 keep-alive connections',
    path: '/2k',
    connections: 64,
    does: 'remembers',
  },
  {
    name: 'from memory: 64 KiB, 64 keep-alive connections',
    path: '/64k',
    connections: 64,
    does: 'remembers',
  },
  {
    name: 'from memory: a 304, 64 keep-alive connections',
    path: '/2k',
    connections: 64,
    headers: [`If-Modified-Since: ${MODIFIED.toUTCString()}`],
    does: 'remembers',
  },
  {
    name: 'from memory: 2 KiB over TLS, 64 keep-alive connections',
    path: '/2k',
    connections: 64,
    tls: true,
    does: 'remembers',
  },
  {
    name: 'from memory: 2 KiB, 90 % hits and 10 % misses, 64 keep-alive connections',
    path: '/2k',
    connections: 64,
    script: 'hits-and-misses.lua',
    does: 'remembers',
  },
  {
    name: 'compressed on the fly: a page of 16 KiB for who takes gzip, 64 keep-alive connections',
    path: '/page.html',
    connections: 64,
    headers: ['Accept-Encoding: gzip'],
    does: 'compresses',
  },
  {
    name: 'compressed on the fly: a page of 16 KiB for a browser, 64 keep-alive connections',
    path: '/page.html',
    connections: 64,
    headers: ['Accept-Encoding: gzip, deflate, br, zstd'],
    does: 'compresses',
  },
];

const folder = mkdtempSync(join(tmpdir(), 'slots-bench-'));

async function cleanUp(): Promise<void> {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().then(() => process.exit(1)));
}
try {
  await main();
} finally {
  await cleanUp();
}

async function main(): Promise<void> {
  const setting: Setting = { folder, originPort: ORIGIN_PORT, ...makeCertificate() };
  await startOrigin();
  const peers = makePeers(setting, FIRST_PORT, (line) => console.log(line));
  const pids = new Map<Peer, number>();
  for (const peer of peers) {
    await assertFree(peer.port);
    const child = startPinned(PROXY_CORE, peer.command, { ...peer.env, WITH_TLS: '1' });
    await untilListening(peer.port);
    pids.set(peer, child.pid as number);
  }
  const wanted = process.env.BENCH_ONLY;
  const parts: string[] = [];
  for (const scenario of SCENARIOS) {
    if (wanted && !scenario.name.includes(wanted)) continue;
    const rows = await run(scenario, peers, pids);
    const table = renderTable(summarise(rows));
    console.log(`\n${scenario.name}\n\n${table}`);
    parts.push(`## ${scenario.name}\n\n${table}\n`);
  }
  if (!wanted) writeResults(peers, parts);
}

async function run(scenario: Scenario, all: Peer[], pids: Map<Peer, number>): Promise<Rows> {
  const peers = all
    .filter(({ tlsPort }) => !scenario.tls || tlsPort !== null)
    .filter(({ does }) => does === (scenario.does ?? 'forwards'));
  const rows: Rows = new Map(peers.map(({ name }) => [name, []]));
  for (const peer of peers) {
    await measure(scenario, peer, pids.get(peer) as number, WARM_UP_SECONDS);
    await expectSameAnswer(peer.name, urlOf(scenario, peer), scenario.headers ?? [], folder);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const peer of peers) {
      const measured = await measure(scenario, peer, pids.get(peer) as number, SECONDS);
      rows.get(peer.name)?.push(measured);
    }
  }
  return rows;
}

async function measure(
  scenario: Scenario,
  peer: Peer,
  pid: number,
  seconds: number,
): Promise<Measured> {
  const { connections, headers, script, streams } = scenario;
  const url = urlOf(scenario, peer);
  const before = cpuSeconds(pid);
  const options = { connections, seconds, headers, script };
  const result = streams
    ? await h2load(LOAD_CORE, url, { ...options, streams })
    : await wrk(LOAD_CORE, url, options);
  const cpu = cpuSeconds(pid) - before;
  if (result.requests === 0 || result.errors > result.requests / 100) {
    throw new Error(
      `${peer.name}, ${scenario.name}: ${result.errors} failed, ${result.requests} did not`,
    );
  }
  return {
    perSecond: result.requests / result.seconds,
    perCpuSecond: result.requests / cpu,
    p50: result.p50,
    p99: result.p99,
    bytes: result.bytes / result.requests,
    errors: result.errors,
    memoryMiB: peakMemoryMiB(pid),
  };
}

function urlOf({ path, tls }: Scenario, peer: Peer): string {
  return tls ? `https://127.0.0.1:${peer.tlsPort}${path}` : `http://127.0.0.1:${peer.port}${path}`;
}

async function startOrigin(): Promise<void> {
  for (const [name, bytes] of [
    ['2k', 2048],
    ['64k', 65_536],
  ] as const) {
    writeFileSync(join(folder, name), 'x'.repeat(bytes));
    utimesSync(join(folder, name), MODIFIED, MODIFIED);
  }
  writeFileSync(join(folder, 'page.html'), page(16_384));
  const config = nginxConfig(
    folder,
    'origin',
    // A file takes no POST: answered as if it were a GET, once its body has been read.
    `server { listen 127.0.0.1:${ORIGIN_PORT}; root ${folder}; error_page 405 =200 $uri; }`,
  );
  startPinned(LOAD_CORE, ['nginx', '-p', folder, '-c', config]);
  await untilListening(ORIGIN_PORT);
}

/** Prose, tables and code of ours as a page: what is compressed must be worth it, and no more than a real page is. */
function page(bytes: number): string {
  const text = ['how-it-works', 'operating', 'configuration'].map((name) =>
    readFileSync(fileURLToPath(new URL(`../docs/${name}.md`, import.meta.url)), 'latin1'),
  );
  const lines = text.join('\n').split('\n');
  return `<!doctype html>\n${lines.map((line) => `<p>${line}</p>`).join('\n')}`.slice(0, bytes);
}

function makeCertificate(): { cert: string; key: string } {
  const cert = join(folder, 'cert.pem');
  const key = join(folder, 'key.pem');
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ],
    { stdio: 'ignore' },
  );
  return { cert, key };
}

function writeResults(peers: Peer[], parts: string[]): void {
  const [cpu] = cpus();
  const head = `# Results of \`npm run bench\`

${new Date().toISOString().slice(0, 10)}, ${cpu?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB.
${ROUNDS} rounds of ${SECONDS} s each, in turn; medians, and medians of each round's ratio. Each proxy on one core, wrk
${versionOf('wrk', '-v')} and an nginx origin on the other.
${peers.map(({ name, version }) => `${name}: ${version}`).join(', ')}.
`;
  const file = fileURLToPath(new URL('results.md', import.meta.url));
  writeFileSync(file, `${head}\n${parts.join('\n')}`);
  console.log(`\nwritten to ${file}`);
}

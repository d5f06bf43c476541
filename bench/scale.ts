/**
 * `npm run bench:scale`: what one worker's data plane needs when there is much of something: idle connections,
 * WebSockets through a flip, very large bodies, a million requests, sites on one front. Memory is read after a forced
 * collection.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, createServer, get, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import WebSocket, { WebSocketServer } from 'ws';
import { PROXY_NODE_ARGS } from '../src/config/ecosystem.ts';
import { untilListening } from './processes.ts';

const PORT = 19_200;
const MEBIBYTE = 2 ** 20;
const IDLE_CONNECTIONS = Number(process.env.BENCH_IDLE ?? 10_000);
const WEB_SOCKETS = 1000;
const BODY_MIB = 1024;
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 1_000_000);
const CLIENTS = 64;
const SITES = [1, 5, 10, 20];

interface Memory {
  rss: number;
  heapUsed: number;
  external: number;
}

const chunk = Buffer.alloc(64 * 1024, 'x');
await startOrigin(PORT + 1);
await startOrigin(PORT + 2);
const worker = fork(fileURLToPath(new URL('peers/slots.js', import.meta.url)), {
  execArgv: [...PROXY_NODE_ARGS, '--expose-gc'],
  env: {
    ...process.env,
    NODE_ENV: 'production',
    PORT: String(PORT),
    ORIGIN: String(PORT + 1),
    OTHER: String(PORT + 2),
    PROXY: JSON.stringify({ keepAliveTimeoutMs: 600_000, limits: { bodyBytes: 0 } }),
  },
});
await untilListening(PORT);
try {
  await millionRequests();
  await largeBodies();
  await idleConnections();
  await webSockets();
  await sitesOnFront();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  worker.kill();
  // What is still open keeps nobody waiting.
  process.exit();
}

async function millionRequests(): Promise<void> {
  await requests(REQUESTS / 10);
  const before = await memory();
  await requests(REQUESTS);
  const after = await memory();
  say(`${REQUESTS.toLocaleString('en-US')} requests after warm-up`, before, after);
}

async function requests(count: number, port = PORT): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      await new Promise<void>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/', agent }, (answer) => {
          if (answer.statusCode !== 200) reject(new Error(`answered ${answer.statusCode}`));
          answer.on('end', resolve).on('error', reject).resume();
        }).on('error', reject);
      });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  agent.destroy();
}

async function largeBodies(): Promise<void> {
  const before = await memory();
  const peaks: Memory[] = [];
  const timer = setInterval(async () => peaks.push(await memory()), 500);
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    get({ host: '127.0.0.1', port: PORT, path: '/large', agent: false }, (answer) => {
      answer.on('data', ({ length }: Buffer) => {
        received += length;
      });
      answer.on('end', resolve).on('error', reject);
    }).on('error', reject);
  });
  if (received !== BODY_MIB * MEBIBYTE) throw new Error(`${received} bytes came down`);
  const upload = request({ host: '127.0.0.1', port: PORT, method: 'POST', agent: false });
  const answered = once(upload, 'response');
  await pipeline(largeBody(), upload);
  const [answer] = await answered;
  answer.resume();
  if (answer.statusCode !== 200) throw new Error(`the upload was answered ${answer.statusCode}`);
  clearInterval(timer);
  const peak = peaks.reduce((most, each) => (each.rss > most.rss ? each : most), before);
  say(`${BODY_MIB} MiB down and ${BODY_MIB} MiB up, peak`, before, peak);
}

async function idleConnections(): Promise<void> {
  const before = await memory();
  const sockets: Socket[] = [];
  for (let i = 0; i < IDLE_CONNECTIONS; i += 100) {
    const batch = Array.from({ length: Math.min(100, IDLE_CONNECTIONS - i) }, async () => {
      const socket = connect({ host: '127.0.0.1', port: PORT });
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const [answer] = await once(socket, 'data');
      if (!String(answer).startsWith('HTTP/1.1 200 ')) throw new Error(String(answer));
      sockets.push(socket);
    });
    await Promise.all(batch);
  }
  const after = await memory();
  const each = (after.rss - before.rss) / IDLE_CONNECTIONS / 1024;
  say(
    `${IDLE_CONNECTIONS} idle keep-alive connections (${each.toFixed(1)} KiB each)`,
    before,
    after,
  );
  for (const socket of sockets) socket.destroy();
}

async function webSockets(): Promise<void> {
  const before = await memory();
  const sockets = await Promise.all(
    Array.from({ length: WEB_SOCKETS }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${PORT}/`);
      await once(socket, 'open');
      return socket;
    }),
  );
  worker.send({ assign: 'green' });
  // The worker takes one message after the other: once it has answered this one, it has flipped.
  await memory();
  const echoes = sockets.map(async (socket, index) => {
    const echo = once(socket, 'message');
    socket.send(String(index));
    const [data] = await echo;
    if (String(data) !== String(index)) throw new Error(`socket ${index} got ${data}`);
  });
  await Promise.all(echoes);
  const during = await memory();
  say(`${WEB_SOCKETS} WebSockets, all alive after a flip`, before, during);
  const closed = sockets.map((socket) => once(socket, 'close'));
  worker.send({ cut: 'blue' });
  const codes = new Set((await Promise.all(closed)).map(([code]) => code));
  console.log(`  closed at the drain's limit with ${[...codes].join(', ')}`);
}

/** What belongs to the process alone (USS) is what a further site takes of the machine: libraries are shared by all. */
async function sitesOnFront(): Promise<void> {
  let first: number | null = null;
  for (const count of SITES) {
    const port = PORT + 10 + count;
    const front = fork(fileURLToPath(new URL('peers/slots-front.js', import.meta.url)), {
      execArgv: [...PROXY_NODE_ARGS, '--expose-gc'],
      env: {
        NODE_ENV: 'production',
        PORT: String(port),
        ORIGIN: String(PORT + 1),
        SITES: String(count),
      },
    });
    try {
      await untilListening(port);
      await requests(count * 100, port);
      const { heapUsed } = await memory(front);
      const uss = await ownMemory(front.pid as number);
      first ??= uss;
      const each = count === 1 ? '' : `, ${kib((uss - first) / (count - 1))} for each further one`;
      console.log(
        `${count} sites on a front: own memory ${mib(uss)}, heap ${mib(heapUsed)}${each}`,
      );
    } finally {
      front.kill();
    }
    await once(front, 'exit');
  }
}

async function ownMemory(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const parts = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB/gm)];
  return parts.reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
}

function mib(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`;
}

function* largeBody(): Generator<Buffer> {
  for (let sent = 0; sent < BODY_MIB * MEBIBYTE; sent += chunk.length) yield chunk;
}

async function startOrigin(port: number) {
  const server = createServer(async (incoming, answer) => {
    if (incoming.url === '/large') {
      await pipeline(largeBody(), answer).catch(() => {});
      return;
    }
    incoming.on('end', () => answer.end('hello')).resume();
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(String(data)));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

async function memory(process: ChildProcess = worker): Promise<Memory> {
  process.send({ memory: true });
  const [answer] = await once(process, 'message');
  return answer as Memory;
}

function say(what: string, before: Memory, after: Memory): void {
  const change = (key: keyof Memory) =>
    `${key} ${(before[key] / MEBIBYTE).toFixed(1)} → ${(after[key] / MEBIBYTE).toFixed(1)} MiB`;
  console.log(`${what}: ${change('rss')}, ${change('heapUsed')}, ${change('external')}`);
}

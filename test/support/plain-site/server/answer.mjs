import { createReadStream, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const file = (name) => new URL(name, import.meta.url);
const page = readFileSync(file('page.txt'), 'utf8');

// As sites do that read their content while they run, and keep it.
const read = process.env.READ_AT_START && readFileSync(process.env.READ_AT_START, 'utf8');

const ROUND = 251;
const block = Buffer.from(Uint8Array.from({ length: ROUND * 256 }, (_, i) => i % ROUND));

const routes = {
  'GET /': (_request, response) => send(response, 'text/plain; charset=utf-8', page),
  'GET /file': (_request, response) => createReadStream(file('page.txt')).pipe(response),
  'GET /lazy': async (_request, response) => {
    const chunk = await import('./chunk.mjs');
    send(response, 'text/plain; charset=utf-8', chunk.page);
  },
  'GET /process': (_request, response) =>
    json(response, { pid: process.pid, instance: process.env.NODE_APP_INSTANCE ?? null }),
  'GET /read': (_request, response) => send(response, 'text/plain', read),
  'GET /env': (_request, response, url) =>
    send(response, 'text/plain', process.env[url.searchParams.get('name')] ?? ''),
  'POST /echo': (request, response) => {
    const type = request.headers['content-type'];
    if (type) response.setHeader('content-type', type);
    request.pipe(response);
  },
  'GET /slow': slow,
  'GET /api/slow': slow,
  'POST /api/upload': upload,
  'GET /api/download': download,
  'GET /api/clock': clock,
};

export async function answer(request, response) {
  const url = new URL(request.url, 'http://site');
  const route = routes[`${request.method} ${url.pathname}`];
  if (route) await route(request, response, url);
  else response.writeHead(404).end('nothing here\n');
}

function send(response, type, body) {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function json(response, value) {
  send(response, 'application/json', `${JSON.stringify(value)}\n`);
}

async function slow(_request, response, url) {
  const ms = Number(url.searchParams.get('ms') ?? 1500);
  await sleep(ms);
  json(response, { waitedMs: ms });
}

/** Counts a body's bytes and compares them with the pattern whose byte i is i % 251. */
async function upload(request, response) {
  let bytes = 0;
  let intact = true;
  try {
    for await (const chunk of request) {
      for (let i = 0; i < chunk.length && intact; i++) intact = chunk[i] === (bytes + i) % ROUND;
      bytes += chunk.length;
    }
  } catch {
    return;
  }
  json(response, { bytes, intact });
}

async function download(_request, response, url) {
  let left = Number(url.searchParams.get('bytes') ?? 1024 * 1024);
  response.writeHead(200, { 'content-length': left });
  for (; left > 0 && !response.destroyed; left -= block.length) {
    const room = response.write(block.subarray(0, left));
    if (!room) await drained(response);
  }
  response.end();
}

function drained(response) {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function clock(_request, response, url) {
  const ms = Number(url.searchParams.get('ms') ?? 1000);
  let id = 0;
  const tick = () => response.write(`id: ${++id}\nevent: tick\ndata: ${Date.now()}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  tick();
  const timer = setInterval(tick, ms);
  response.on('close', () => clearInterval(timer));
}

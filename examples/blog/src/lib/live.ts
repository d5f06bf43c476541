/**
 * The WebSocket at /live?page=<path>: tells each open copy of a page how many of it are open.
 *
 * Astro's standalone server shows neither itself nor its upgrades, so the server is taken from Node's own
 * channels, which name it with each request. Any request will do, and there is one before any visitor
 * comes: the first that an instance answers is a health probe of slots. Astro loads the middleware, and
 * with it this file, while that probe is already being answered, so its end has to count as well.
 *
 * The number is of one instance. Adding them up would take a store that they share.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';

const PATH = '/live';

const known = new WeakSet<Server>();
const pages = new WeakMap<WebSocket, string>();
const sockets = new WebSocketServer({ noServer: true, maxPayload: 4096 });

// In `astro dev` the upgrades are Vite's.
if (import.meta.env.PROD) {
  subscribe('http.server.request.start', seen);
  subscribe('http.server.response.finish', seen);
}

function seen(message: unknown): void {
  const { server } = message as { server: Server };
  if (known.has(server)) return;
  known.add(server);
  server.on('upgrade', upgrade);
}

function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  if (request.url?.split('?')[0] !== PATH) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  sockets.handleUpgrade(request, socket, head, welcome);
}

function welcome(client: WebSocket, request: IncomingMessage): void {
  const page = pageOf(request);
  pages.set(client, page);
  client.on('message', (data) => {
    if (isPing(String(data))) client.send('{"type":"pong"}');
  });
  client.on('close', () => tellReaders(page));
  client.on('error', () => client.terminate());
  tellReaders(page);
}

function tellReaders(page: string): void {
  const readers = [...sockets.clients].filter(
    (client) => client.readyState === WebSocket.OPEN && pages.get(client) === page,
  );
  const message = JSON.stringify({ type: 'readers', count: readers.length });
  for (const reader of readers) reader.send(message);
}

function pageOf(request: IncomingMessage): string {
  const query = request.url?.split('?')[1];
  return new URLSearchParams(query).get('page') ?? '';
}

function isPing(text: string): boolean {
  try {
    return JSON.parse(text)?.type === 'ping';
  } catch {
    return false;
  }
}

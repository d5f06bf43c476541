/** WebSockets on both sides of a proxy: a site on `ws`, a client on `ws`, and both by hand. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import { type Origin, serveOrigin, startRawOrigin } from './plane.ts';
import { head, type RawClient, rawClient, type Wire } from './raw-http.ts';

/** A site whose every upgrade is accepted; its sockets and their requests in the order of their coming. */
export interface WsSite extends Origin {
  sockets: WebSocket[];
  requests: IncomingMessage[];
}

export async function startWsSite(
  onSocket: (socket: WebSocket, request: IncomingMessage) => void = echo,
  options: ConstructorParameters<typeof WebSocketServer>[0] = {},
): Promise<WsSite> {
  const server = createHttpServer((_request, response) => response.end('page'));
  const sockets: WebSocket[] = [];
  const requests: IncomingMessage[] = [];
  const accepting = new WebSocketServer({ server, maxPayload: 64 * 1024 * 1024, ...options });
  accepting.on('connection', (socket, request) => {
    sockets.push(socket);
    requests.push(request);
    socket.on('error', () => {});
    onSocket(socket, request);
  });
  const origin = await serveOrigin(server);
  return { ...origin, sockets, requests };
}

/** Sends back what comes, of the kind that it came in. */
export function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

/** A WebSocket that is open. */
export async function openSocket(
  port: number,
  path = '/live',
  options: ClientOptions & { protocols?: string[]; secure?: boolean } = {},
): Promise<WebSocket> {
  const { protocols = [], secure = false, ...rest } = options;
  const url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}${path}`;
  const socket = new WebSocket(url, protocols, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    ...rest,
  });
  socket.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** The code and the reason that a WebSocket closes with. */
export async function closing(socket: WebSocket): Promise<[code: number, reason: string]> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return [code, String(reason)];
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** An upgrade request's bytes. */
export function upgradeHead(path = '/live', ...fields: string[]): string {
  return head(
    `GET ${path}`,
    'Host: site.test',
    'Connection: Upgrade',
    'Upgrade: websocket',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
    ...fields,
  );
}

/** A client by hand whose upgrade has been accepted; `after()` is what has come since. */
export async function rawSocket(port: number, path = '/live') {
  const client = await rawClient(port, { allowHalfOpen: true });
  client.send(upgradeHead(path));
  await client.until('\r\n\r\n');
  return { ...client, after: () => afterHead(client) };
}

/** A site by hand that accepts every upgrade and then does nothing by itself. */
export function startRawWsSite(onOpen: (wire: Wire) => void = () => {}): Promise<Origin> {
  return startRawOrigin(async (wire) => {
    wire.socket.allowHalfOpen = true;
    const came = await wire.until('\r\n\r\n').catch(() => null);
    if (came === null) return;
    const [, key = ''] = /sec-websocket-key: (.*)\r\n/i.exec(came) ?? [];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    wire.send(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `Sec-WebSocket-Accept: ${accept.digest('base64')}\r\n\r\n`,
    );
    onOpen(wire);
  });
}

/** What has come on a connection after the first head. */
export function afterHead(wire: Pick<RawClient, 'text'>): string {
  const text = wire.text();
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

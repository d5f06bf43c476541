/** `node vanishing-client.mjs <host> <port> <count>`: opens that many connections of each kind, says `open`, and stays. */
import { connect } from 'node:net';

const [host, port, count] = process.argv.slice(2);
const get = (path, more = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
const REQUESTS = [
  get('/api/clock?ms=100000'),
  get('/api/clock?ms=5'),
  get('/api/download?bytes=50000000'),
  get('/api/slow?ms=100000'),
  get('/'),
  get(
    '/live',
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
  ),
];

const opened = REQUESTS.flatMap((request) =>
  Array.from({ length: Number(count) }, () => {
    const socket = connect(Number(port), host, () => socket.write(request));
    socket.on('error', () => {});
    // A slow answer has not begun; all others have.
    if (request.includes('/api/slow')) return new Promise((done) => socket.on('connect', done));
    return new Promise((done) => socket.once('data', () => done(socket.pause())));
  }),
);
await Promise.all(opened);
process.stdout.write('open\n');

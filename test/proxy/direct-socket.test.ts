import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { DirectSocket } from '../../src/proxy/direct-socket.ts';
import { until } from '../support/until.ts';

/** A direct socket and what it is connected to. */
async function connected(): Promise<{ socket: DirectSocket; peer: Socket }> {
  const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new DirectSocket();
  socket.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const [[peer]] = await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  onTestFinished(() => {
    socket.destroy();
    peer.destroy();
    server.close();
  });
  return { socket, peer };
}

/** Reads as undici does while it is not paused. */
function readAll(socket: DirectSocket): Buffer[] {
  const pieces: Buffer[] = [];
  socket.on('readable', () => {
    for (let piece = socket.read(); piece !== null; piece = socket.read()) pieces.push(piece);
  });
  return pieces;
}

test('what was read stays as it was when more is read, on this connection or another', async () => {
  const pairs = await Promise.all([connected(), connected()]);
  const readers = pairs.map(({ socket, peer }) => ({ socket, peer, pieces: readAll(socket) }));
  const sent: string[] = [];
  // Some of them fill more than what copies are cut from, and one is longer than that.
  for (let round = 0; round < 100; round++) {
    for (const [which, { socket, peer }] of readers.entries()) {
      const text = `${which}:${round};`.repeat(round === 50 ? 12_000 : 500);
      sent[which] = (sent[which] ?? '') + text;
      peer.write(text);
      while (socket.bytesRead < (sent[which] as string).length) await once(socket, 'readable');
    }
  }
  for (const [which, { pieces }] of readers.entries()) {
    expect(Buffer.concat(pieces).toString()).toBe(sent[which]);
  }
});

test('reads no more while its reader is paused, and goes on when it asks again', async () => {
  const { socket, peer } = await connected();
  const whole = Buffer.alloc(8 << 20, 'slots');
  const pieces: Buffer[] = [];
  let paused = true;
  socket.on('readable', () => {
    for (let piece = socket.read(); piece !== null; piece = socket.read()) {
      pieces.push(paused ? piece.subarray(0, 10) : piece);
      if (!paused) continue;
      socket.unshift(piece.subarray(10));
      return;
    }
  });
  peer.write(whole);
  await until(() => socket.bytesRead > 0, 'the first read');
  const read = socket.bytesRead;
  // Long enough for a further read: another connection is made and used meanwhile.
  const other = await connected();
  const heard = readAll(other.socket);
  other.peer.write('later');
  await until(() => heard.length > 0, 'the other connection');
  expect(socket.bytesRead).toBe(read);
  expect(peer.writableLength).toBeGreaterThan(0);

  paused = false;
  socket.emit('readable');
  await until(() => socket.bytesRead === whole.length, 'all of it to be read');
  expect(Buffer.concat(pieces).equals(whole)).toBe(true);
});

test('ends once a reader that was paused at the last byte asks again', async () => {
  const { socket, peer } = await connected();
  const pieces: Buffer[] = [];
  let paused = true;
  socket.on('readable', () => {
    const piece = socket.read();
    if (piece === null) return;
    pieces.push(piece);
    if (paused) socket.unshift(piece.subarray(piece.length));
  });
  peer.end('all');
  await until(() => pieces.length === 1, 'the only piece');
  const closed = once(socket, 'close');
  paused = false;
  expect(socket.read()).toBeNull();
  await closed;
  expect(String(pieces[0])).toBe('all');
});

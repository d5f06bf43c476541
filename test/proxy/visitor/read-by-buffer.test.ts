import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { owned, readByBuffer } from '../../../src/proxy/visitor/read-by-buffer.ts';
import { until } from '../../support/until.ts';

/** Both ends of a connection that a server has accepted. */
async function accepted(): Promise<{ socket: Socket; visitor: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const visitor = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    visitor.destroy();
    socket.destroy();
    server.close();
  });
  return { socket, visitor };
}

test('what comes on an accepted connection is read to one buffer, past the stream', async () => {
  const { socket, visitor } = await accepted();
  const seen: string[] = [];
  const buffers = new Set<Buffer>();
  const isPossible = readByBuffer(socket, (length, buffer) => {
    buffers.add(buffer);
    seen.push(buffer.toString('latin1', 0, length));
    return true;
  });
  expect(isPossible, 'this Node keeps `onread` elsewhere').toBe(true);
  visitor.write('one');
  await until(() => seen.length === 1, 'the first read');
  visitor.write('two');
  await until(() => seen.length === 2, 'the second read');
  expect(seen).toEqual(['one', 'two']);
  expect(buffers.size).toBe(1);
  expect(socket.readableLength).toBe(0);
});

test('a connection whose receiver says no is read no more until it is resumed', async () => {
  const { socket, visitor } = await accepted();
  let bytes = 0;
  let isWanted = false;
  readByBuffer(socket, (length) => {
    bytes += length;
    return isWanted;
  });
  const all = 8 * 1024 * 1024;
  visitor.write(Buffer.alloc(all));
  await until(() => bytes > 0, 'the first read');
  expect(bytes).toBeLessThanOrEqual(65_536);
  isWanted = true;
  socket.resume();
  await until(() => bytes === all, 'all of it');
});

test('the end of the visitor is the end of the stream that nothing is read from', async () => {
  const { socket, visitor } = await accepted();
  readByBuffer(socket, () => true);
  visitor.end('last');
  await once(socket, 'end');
});

test('what is owned stays as it is when more is read, and is copied only where it has to be', async () => {
  const { socket, visitor } = await accepted();
  const kept: Buffer[] = [];
  readByBuffer(socket, (length, buffer) => {
    kept.push(owned(buffer.subarray(0, length)));
    return true;
  });
  visitor.write('one');
  await until(() => kept.length === 1, 'the first read');
  visitor.write('two');
  await until(() => kept.length === 2, 'the second read');
  expect(kept.map(String)).toEqual(['one', 'two']);
  const own = Buffer.from('mine');
  expect(owned(own)).toBe(own);
});

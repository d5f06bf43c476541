/** What waits for visitors who do not read is little, counted by real memory. */
import { expect, test } from 'vitest';
import { type Origin, startPlane, startRawOrigin } from '../../support/plane.ts';
import { get, head, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const MIB = 1024 * 1024;

/** A site that sends the same piece over and over, for as long as it is taken. */
function startEndless(first: string, piece: string, together: number): Promise<Origin> {
  return startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n').catch(() => {});
    wire.send(first);
    const block = Buffer.from(piece.repeat(together), 'latin1');
    const more = () => {
      while (!wire.socket.destroyed) if (!wire.socket.write(block)) return;
    };
    wire.socket.on('drain', more);
    more();
  });
}

const CHUNKED = head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked');

test('an answer in small chunks that 40 visitors do not read takes little memory', async () => {
  const site = await startEndless(CHUNKED, `64\r\n${'x'.repeat(100)}\r\n`, 1000);
  const { port, plane } = await startPlane({ blue: site.port });
  const before = process.memoryUsage().rss;
  const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(port)));
  for (const client of clients) {
    client.socket.pause();
    client.send(get());
  }
  await until(() => site.wires.length === 40, 'all at the site');
  let last = -1;
  let still = 0;
  await until(() => {
    const written = site.wires.reduce((sum, { socket }) => sum + socket.bytesWritten, 0);
    still = written === last ? still + 1 : 0;
    last = written;
    return still > 10;
  }, 'a standstill');
  const grown = process.memoryUsage().rss - before;
  expect(plane.inflight.counts.blue).toBe(40);
  // Both ends are in this process: the site's own buffers and the kernel's copies are in it too.
  expect(grown / MIB).toBeLessThan(160);
}, 60_000);

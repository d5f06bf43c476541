import { expect, test } from 'vitest';
import {
  END_HEADERS,
  END_STREAM,
  type FrameClient,
  fieldBlock,
  frameClient,
  TYPE,
} from '../../support/http2-frames.ts';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const WHOLE = END_HEADERS | END_STREAM;
const NOTHING = Buffer.alloc(4);
/** SETTINGS_INITIAL_WINDOW_SIZE of 0: nothing of any body may be sent. */
const NO_WINDOW = Buffer.from([0, 4, 0, 0, 0, 0]);

const reset = (client: FrameClient) => client.frame(TYPE.reset, 0, 1, NOTHING);
const goAway = (client: FrameClient) => client.frame(TYPE.goaway, 0, 0, Buffer.alloc(8));
const LEAVING: [string, ((client: FrameClient) => void)[]][] = [
  ['a reset without an error', [reset]],
  ['a GOAWAY, a reset without an error and the end', [goAway, reset, (c) => c.socket.end()]],
  ['a GOAWAY, a reset without an error and the death', [goAway, reset, (c) => c.socket.destroy()]],
  ['a reset without an error and the death', [reset, (c) => c.socket.destroy()]],
  ['a GOAWAY and the end of the connection', [goAway, (c) => c.socket.end()]],
  ['the death of the connection', [(c) => c.socket.destroy()]],
];

const SITES: [string, number][] = [
  ['a short answer', 100],
  ['a long answer', 3_000_000],
];

for (const [size, bytes] of SITES) {
  test.each(LEAVING)(
    `${size} that there is no window for is over with %s`,
    async (_name, leave) => {
      const site = await startOrigin((_request, response) => response.end(Buffer.alloc(bytes)));
      const tls = await makeCertificate();
      const { port, plane } = await startPlane({ blue: site.port, proxy: { tls } });
      const client = await frameClient(port);
      client.frame(TYPE.settings, 0, 0, NO_WINDOW);
      client.frame(TYPE.headers, WHOLE, 1, fieldBlock('GET'));
      await until(
        () => client.frames().some(({ type, stream }) => type === TYPE.headers && stream === 1),
        'the head of the answer',
      );
      expect(plane.inflight.counts.blue).toBe(1);
      for (const step of leave) {
        step(client);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await until(() => plane.inflight.counts.blue === 0, 'nothing in flight', 5000);
      if (client.socket.destroyed || client.socket.writableEnded) await untilAlone(plane.server);
    },
  );
}

test('an upload that is not read is over with a reset without an error', async () => {
  const site = await startOrigin((request) => request.pause());
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({ blue: site.port, proxy: { tls } });
  const client = await frameClient(port);
  client.frame(TYPE.headers, END_HEADERS, 1, fieldBlock('POST'));
  for (let i = 0; i < 12; i++) client.frame(TYPE.data, 0, 1, Buffer.alloc(16_000));
  await until(() => plane.inflight.counts.blue === 1, 'the upload');
  reset(client);
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight', 5000);
});

test('a visitor who does not read, and vanishes, leaves no session and no socket behind', async () => {
  const site = await startOrigin((_request, response) => response.end(Buffer.alloc(20_000_000)));
  const tls = await makeCertificate();
  const { port, plane } = await startPlane({ blue: site.port, proxy: { tls } });
  const client = await frameClient(port);
  client.frame(TYPE.settings, 0, 0, Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff]));
  client.frame(8, 0, 0, Buffer.from([0x7f, 0, 0, 0]));
  client.socket.pause();
  client.frame(TYPE.headers, WHOLE, 1, fieldBlock('GET'));
  await until(() => site.bytesRead() > 0 && plane.inflight.counts.blue === 1, 'the request');
  await new Promise((resolve) => setTimeout(resolve, 300));
  client.socket.destroy();
  await until(() => plane.inflight.counts.blue === 0, 'nothing in flight', 6000);
  await untilAlone(plane.server);
});

async function untilAlone(server: {
  getConnections(cb: (e: Error | null, n: number) => void): void;
}) {
  const count = () =>
    new Promise<number>((resolve) => server.getConnections((_e, n) => resolve(n)));
  await until(async () => (await count()) === 0, 'no connection left', 6000);
}

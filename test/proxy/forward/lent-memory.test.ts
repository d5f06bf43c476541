/** Long answers have their memory from those before them: nobody may see the bytes of another. */
import { get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startOrigin, startPlane } from '../../support/plane.ts';

const LENGTH = 300_000;

/** More than the kernel takes for a visitor who does not read. */
const LATE_LENGTH = 8_000_000;

/** A body that tells which answer it is of. */
function bodyOf(path: string): Buffer {
  return Buffer.alloc(path.startsWith('/late') ? LATE_LENGTH : LENGTH, `${path} `);
}

async function answer(port: number, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) =>
    get({ host: '127.0.0.1', port, path, agent: false }, resolve).on('error', reject),
  );
}

async function isWhole(port: number, path: string): Promise<boolean> {
  return (await buffer(await answer(port, path))).equals(bodyOf(path));
}

test('visitors who read late get their own bytes, however many were served meanwhile', async () => {
  const site = await startOrigin(
    (request, response) => void response.end(bodyOf(request.url ?? '')),
  );
  const { port } = await startPlane({ blue: site.port });
  const late = await Promise.all(Array.from({ length: 4 }, (_, i) => answer(port, `/late/${i}`)));
  for (let round = 0; round < 5; round++) {
    const paths = Array.from({ length: 8 }, (_, i) => `/soon/${round}/${i}`);
    expect(await Promise.all(paths.map((path) => isWhole(port, path)))).not.toContain(false);
  }
  const bodies = await Promise.all(late.map((each) => buffer(each)));
  for (const [i, body] of bodies.entries()) expect(body.equals(bodyOf(`/late/${i}`))).toBe(true);
});

test('an answer that is stored while others are served is stored as it came', async () => {
  let pieceSent = () => {};
  const site = await startOrigin(async ({ url = '' }, response) => {
    if (!url.startsWith('/stored')) {
      response.setHeader('cache-control', 'no-store').end(bodyOf(url));
      return;
    }
    const body = bodyOf(url);
    for (let at = 0; at < LENGTH; at += 100_000) {
      response.write(body.subarray(at, at + 100_000));
      await new Promise<void>((resolve) => {
        pieceSent = resolve;
      });
    }
    response.end();
  });
  const { port } = await startPlane({ blue: site.port, cache: { untilRelease: ['/**'] } });
  const first = isWhole(port, '/stored');
  let isOver = false;
  void first.then(() => {
    isOver = true;
  });
  for (let round = 0; !isOver; round++) {
    expect(await isWhole(port, `/others/${round % 3}`)).toBe(true);
    pieceSent();
    await nextTurn();
  }
  expect(await first).toBe(true);
  const again = await answer(port, '/stored');
  expect(again.headers['cache-status']).toMatch(/hit/);
  expect((await buffer(again)).equals(bodyOf('/stored'))).toBe(true);
});

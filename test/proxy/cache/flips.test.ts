import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startOrigin, startPlane } from '../../support/plane.ts';
import { get, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

/** `CACHE_FLIPS=500` for the run by hand. */
const FLIPS = Number(process.env.CACHE_FLIPS ?? 60);
const CLIENTS = 24;
const PATHS = ['/', '/a', '/b', '/c'];

test('nobody is answered by an older release after somebody was answered by a newer one, over many flips with slow fills', async () => {
  const serving = { blue: 0, green: 0 };
  const startSlot = (slot: 'blue' | 'green') =>
    startOrigin(async (_request, response) => {
      const release = serving[slot];
      await delay(Math.random() * 15);
      response.setHeader('Cache-Control', 's-maxage=60');
      response.write(`${release} `);
      await delay(Math.random() * 15);
      response.end('end');
    });
  const [blue, green] = [await startSlot('blue'), await startSlot('green')];
  const { port, plane, assign } = await startPlane({
    blue: blue.port,
    green: green.port,
    cache: {},
    release: { blue: 'r0', green: 'r0' },
  });
  let newest = 0;
  let answers = 0;
  let isOver = false;
  const wrong: string[] = [];
  const visit = async (n: number) => {
    const client = await rawClient(port);
    for (let i = 1; !isOver; i++) {
      const path = PATHS[(n + i) % PATHS.length] as string;
      // What anybody had been answered by when this one asked.
      const known = newest;
      client.send(get(path));
      const answer = (await client.answers(i)).at(-1);
      const body = answer?.body ?? '';
      const release = Number.parseInt(body, 10);
      const told = answer?.fields.find(([name]) => name === 'x-slots-release')?.[1];
      if (release < known || !body.endsWith('end')) wrong.push(`${path}: ${body} after ${known}`);
      if (told !== `r${release}`) wrong.push(`${path}: ${body} of ${told}`);
      newest = Math.max(newest, release);
      answers++;
    }
  };
  const visitors = Promise.all(Array.from({ length: CLIENTS }, (_, n) => visit(n)));
  for (let flip = 1; flip <= FLIPS; flip++) {
    const next = flip % 2 === 1 ? 'green' : 'blue';
    // A slot gets another release only once it is drained.
    await until(() => plane.inflight.counts[next] === 0, `${next} to be empty`);
    serving[next] = flip;
    assign({ release: { [next]: `r${flip}` } });
    assign({ active: next });
    newest = flip;
    await delay(10 + Math.random() * 20);
  }
  isOver = true;
  await visitors;
  expect(wrong).toEqual([]);
  expect(answers).toBeGreaterThan(FLIPS);
  expect(plane.cache?.counts.hit).toBeGreaterThan(FLIPS);
  // The releases in the two slots, and nothing else.
  expect(plane.cache?.counts.entries).toBeLessThanOrEqual(2 * PATHS.length);
}, 120_000);

import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { values } from '../../support/raw-answers.ts';
import { ask, get } from '../../support/raw-http.ts';

/** A live release on blue and a candidate on green, each of which says which it is; what was asked is noted. */
async function start(options: PlaneOptions = {}, answerMs = 0) {
  const asked: Record<string, string[]> = { blue: [], green: [] };
  const slot = (name: string) =>
    startOrigin(async (request, response) => {
      asked[name]?.push(request.url as string);
      if (name === 'green') await delay(answerMs);
      response.end(`${request.url} of ${name} for ${request.headers['x-forwarded-host']}`);
    });
  const [blue, green] = [await slot('blue'), await slot('green')];
  const running = await startPlane({
    blue: blue.port,
    green: green.port,
    warm: { green: false },
    cache: { untilRelease: ['/**'], except: ['/private/**'] },
    ...options,
  });
  const visit = (path: string, ...fields: string[]) => ask(running.port, get(path, ...fields));
  return { ...running, asked, visit };
}

test('the first visitor after a flip gets from memory what others had asked of the release before', async () => {
  const { plane, assign, asked, visit } = await start();
  for (const path of ['/one', '/two?x=1', '/one']) await visit(path);
  expect(await plane.fillAhead('green', 5000)).toBe(2);
  expect(asked.green?.toSorted()).toEqual(['/one', '/two?x=1']);
  assign({ active: 'green', warm: { green: true } });
  for (const path of ['/one', '/two?x=1']) {
    const answer = await visit(path);
    expect(answer.body).toBe(`${path} of green for site.test`);
    expect(values(answer.fields, 'cache-status')[0]).toMatch(/^slots; hit/);
  }
  expect(asked.green).toHaveLength(2);
});

test('a candidate is asked for nothing that was not stored, and counts as no miss', async () => {
  const { plane, asked, visit } = await start();
  await visit('/private/one');
  await visit('/mine', 'Cookie: user=1');
  const before = plane.cache?.counts.miss;
  expect(await plane.fillAhead('green', 5000)).toBe(0);
  await visit('/ours');
  expect(await plane.fillAhead('green', 5000)).toBe(1);
  expect(asked.green).toEqual(['/ours']);
  expect(plane.cache?.counts).toMatchObject({ miss: (before ?? 0) + 1, filled: 1 });
});

test('a candidate is asked in the name of nobody, and not of its own machine', async () => {
  const from: (string | undefined)[] = [];
  const site = (name: string) =>
    startOrigin((request, response) => {
      if (name === 'green') from.push(String(request.headers['x-forwarded-for']));
      response.end(name);
    });
  const [blue, green] = [await site('blue'), await site('green')];
  const { port, plane } = await startPlane({
    blue: blue.port,
    green: green.port,
    cache: { untilRelease: ['/**'] },
  });
  await ask(port, get('/one'));
  await plane.fillAhead('green', 5000);
  expect(from).toEqual(['192.0.2.1']);
});

test('visitors of the live release get nothing of what a candidate was asked for', async () => {
  const { plane, assign, visit } = await start();
  await visit('/one');
  await plane.fillAhead('green', 5000);
  expect((await visit('/one')).body).toContain('of blue');
  // The candidate is put back, and another release takes its place.
  assign({ release: { green: 'another' } });
  assign({ active: 'green' });
  const answer = await visit('/one');
  expect(values(answer.fields, 'cache-status')[0]).not.toMatch(/hit/);
});

test('a candidate that answers slowly holds up its flip for no longer than is allowed', async () => {
  const { plane, visit } = await start({}, 400);
  for (let n = 0; n < 40; n++) await visit(`/${n}`);
  const startedAt = performance.now();
  const urls = await plane.fillAhead('green', 600);
  expect(performance.now() - startedAt).toBeLessThan(3000);
  expect(urls).toBeLessThan(40);
});

test('a worker without a cache has nothing to ask for', async () => {
  const { plane, visit } = await start({ cache: undefined });
  await visit('/one');
  expect(await plane.fillAhead('green', 5000)).toBe(0);
});

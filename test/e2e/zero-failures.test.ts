import { expect, test } from 'vitest';
import { exampleSite } from '../support/example-site.ts';
import { startLoad } from '../support/load.ts';
import { until } from '../support/until.ts';

const PROMOTIONS = 10;
const MEBIBYTE = 1024 * 1024;

const PATHS = [
  '/',
  '/posts/mulch/',
  '/posts/the-log-book/',
  '/about/',
  '/tags/',
  '/rss.xml',
  '/feed.json',
];

test('fails no request of any kind while ten edits of a real Astro site go live', async () => {
  const site = await exampleSite({ config: { drainTimeoutMs: 8000 } });
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });

  // Transfers follow each other without a pause, so that each flip meets some; what never ends holds each drain to its
  // limit. Pages have pauses: without them the visitors take what the builds need.
  const transfer = { bytes: 20 * MEBIBYTE, overMs: 1500 };
  const load = startLoad(site.origin, {
    paths: PATHS,
    keepAlive: 20,
    fresh: 5,
    slow: 10,
    events: 1,
    webSockets: 1,
    upload: transfer,
    download: transfer,
    pauseMs: 200,
  });
  const seen = new Set<string>();
  for (let edit = 1; edit <= PROMOTIONS; edit++) {
    const text = `This is edit number ${edit} of ${PROMOTIONS}.`;
    await site.edit('mulch', text);
    const page = await until(
      async () => {
        const answer = await site.get('/posts/mulch/');
        return answer.body.includes(text) && answer;
      },
      `edit ${edit} to be live`,
      60_000,
    );
    seen.add(page.release as string);
    await site.settled(60_000);
  }
  const result = await load.stop();

  expect(result.failures).toEqual([]);
  expect(result.failed).toBe(0);
  expect(seen.size).toBe(PROMOTIONS);
  // Each release served somebody, so every flip moved visitors.
  for (const release of seen) expect(result.releases).toHaveProperty(release);
  for (const kind of Object.values(result.byKind)) expect(kind.requests).toBeGreaterThan(0);
  // What never ends by itself is ended at the drain's limit, and properly.
  expect(result.streams.filter(({ end }) => end === 'broken')).toEqual([]);
  expect(result.streams.some(({ end }) => end === 'clean')).toBe(true);
  expect(result.sockets.map(({ closeCode }) => closeCode)).toContain(1001);
  console.log(
    `${PROMOTIONS} promotions, ${result.requests} requests, ${result.failed} failed, slowest ${result.slowestMs} ms`,
  );
}, 900_000);

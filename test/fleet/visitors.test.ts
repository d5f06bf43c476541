import { expect, onTestFinished, test } from 'vitest';
import { allReady, allServe, type Machine, machine, startAll } from '../support/fleet.ts';
import { natsServer } from '../support/nats.ts';
import { lacking, skipFor } from '../support/needs.ts';

const lacks = lacking('nats-server');

const VISITORS = 4;
const PAGES = 6;

interface Seen {
  requests: number;
  failed: number;
  /** Pages that came after a newer one, as `newer → older`. */
  back: string[];
}

/** A browser that goes to a random machine each time, and keeps the cookie that it is given. */
async function browse(machines: readonly Machine[], seen: Seen, isOver: () => boolean) {
  let cookie = '';
  let newest = 0;
  while (!isOver()) {
    const { origin } = machines[Math.floor(Math.random() * machines.length)] as Machine;
    seen.requests++;
    const headers = cookie === '' ? {} : { cookie };
    const answer = await fetch(`${origin}/`, { headers }).catch(() => null);
    const page = answer && Number(await answer.text().catch(() => 'cut'));
    if (answer?.status !== 200 || page === null || !(page > 0)) {
      seen.failed++;
      continue;
    }
    cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    if (page < newest) seen.back.push(`${newest} → ${page}`);
    newest = Math.max(newest, page);
  }
}

test('nobody sees an older page after a newer one, whichever machine answers, and no request fails', async ({
  skip,
}) => {
  skipFor(skip, lacks);
  const nats = await natsServer();
  const options = { fleet: { monotonic: true }, config: { host: '127.0.0.1' } };
  const machines = [
    await machine('web1', nats.url, options),
    await machine('web2', nats.url, options),
  ];
  const [web1] = machines as [Machine];
  for (const one of machines) await one.edit('page.txt', '1');
  await startAll(machines);
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const seen: Seen = { requests: 0, failed: 0, back: [] };
  const visits = Array.from({ length: VISITORS }, () => browse(machines, seen, () => isOver));
  for (let page = 2; page <= PAGES; page++) {
    await web1.edit('page.txt', String(page));
    await allServe(machines, String(page));
    await allReady(machines);
  }
  isOver = true;
  await Promise.all(visits);
  console.log(`${seen.requests} requests over ${PAGES - 1} flips`);
  expect(seen.requests).toBeGreaterThan(500);
  expect({ failed: seen.failed, back: seen.back }).toEqual({ failed: 0, back: [] });
});

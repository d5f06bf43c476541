import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startPlane, startRawOrigin } from '../../support/plane.ts';
import { get, head, type RawClient, rawClient } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const PAGE = 'a part of a page '.repeat(1000);

/** A site that gives each of its connections one of these answers, in turn. */
async function siteThatSays(...answers: string[]) {
  const asked: string[] = [];
  const site = await startRawOrigin(async (wire) => {
    const text = await wire.until('\r\n\r\n');
    wire.send(answers[asked.length] ?? 'too much\r\n\r\n');
    asked.push(text.slice(0, text.indexOf(' HTTP')));
    wire.socket.end();
  });
  return { ...site, asked };
}

const whole = () =>
  head('HTTP/1.1 200 OK', `Content-Length: ${PAGE.length}`, 'Connection: close') + PAGE;

/** Goes on sending requests, as a visitor does who has not read that the connection ends. */
async function goOn(client: RawClient) {
  for (let n = 0; n < 20; n++) {
    client.send(get(`/more${n}`));
    await delay(10);
  }
}

test('an answer is not lost to what its visitor sends behind the request that was the last', async () => {
  const site = await siteThatSays(whole(), 'no answer at all\r\n\r\n');
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.socket.pause();
  client.send(head('OPTIONS /one', 'Host: site.test'));
  client.send(
    `${head('POST /two', 'Host: site.test', 'Content-Length: 4', 'Expect: 100-continue')}body`,
  );
  await until(() => plane.counters.upstreamErrors.blue > 0, 'the second one to fail');
  await goOn(client);
  client.socket.resume();
  await client.untilGone();
  const [first, second, ...more] = await client.answers(2, ['OPTIONS', 'POST']);
  expect(first).toMatchObject({ status: 200, body: PAGE, complete: true });
  expect(second).toMatchObject({ status: 502, complete: true });
  expect(more).toEqual([]);
  expect(site.asked).toEqual(['OPTIONS /one', 'POST /two']);
});

test('a plain answer is not lost to requests that come behind it while the worker stops', async () => {
  let answer: (() => void) | null = null;
  const site = await startRawOrigin(async (wire) => {
    await wire.until('\r\n\r\n');
    answer = () => wire.send(whole());
  });
  const { port, plane } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.socket.pause();
  client.send(get('/one'));
  await until(() => answer !== null, 'the request');
  plane.stop();
  (answer as (() => void) | null)?.();
  await until(() => plane.inflight.counts.blue === 0, 'the answer');
  await goOn(client);
  client.socket.resume();
  await client.untilGone();
  expect(await client.answers(1)).toMatchObject([{ status: 200, body: PAGE, complete: true }]);
});

test('a body that nobody wants is read on for as long as it comes, so that its answer arrives', async () => {
  const site = await siteThatSays('no answer at all\r\n\r\n');
  const { port } = await startPlane({ blue: site.port });
  const client = await rawClient(port);
  client.socket.pause();
  client.send(head('POST /', 'Host: site.test', 'Content-Length: 30'));
  for (let n = 0; n < 30; n++) {
    client.send('x');
    await delay(100);
  }
  client.socket.resume();
  expect(await client.answers(1, ['POST'])).toMatchObject([{ status: 502, complete: true }]);
});

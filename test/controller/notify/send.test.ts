import { expect, test } from 'vitest';
import { notifySchema } from '../../../src/config/admin-schema.ts';
import { createEventCounters } from '../../../src/controller/metrics/event-counters.ts';
import type { Ending } from '../../../src/controller/notify/message.ts';
import { createNotify } from '../../../src/controller/notify/send.ts';
import { collectedLog } from '../../support/collected-log.ts';
import { freePorts } from '../../support/free-ports.ts';
import { startReceiver } from '../../support/receiver.ts';
import { until } from '../../support/until.ts';

const PATIENCE = { attempts: 3, backoffMs: 10, timeoutMs: 200 };

const ENDING: Ending = {
  site: 'blog',
  id: 'p1',
  release: 'r1',
  outcome: 'promoted',
  stage: 'reload',
  error: null,
  trigger: 'edit',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:05.000Z',
  durationsMs: { build: 4000, flip: 500 },
};

const failed = (error: string): Ending => ({ ...ENDING, outcome: 'failed', stage: 'build', error });

function setUp(target: { url: string; [key: string]: unknown }) {
  const [parsed] = notifySchema.parse([target]);
  const { log, events, lines } = collectedLog();
  const counters = createEventCounters().notifications;
  const notify = createNotify(parsed as NonNullable<typeof parsed>, log, counters, PATIENCE);
  const end = () => until(() => counters.sent + counters.failed > 0, 'the end of the notification');
  return { notify, events, lines, counters, end };
}

test('a notification is the ending as JSON, sent once', async () => {
  const { url, host, received } = await startReceiver(200);
  const { notify, events, end } = setUp({ url });
  notify(ENDING);
  await end();
  expect(received.map(({ body }) => body)).toEqual([ENDING]);
  expect(received[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': expect.stringMatching(/^slots\/\d/),
  });
  expect(events('notify.sent')).toMatchObject([{ to: host, outcome: 'promoted', attempt: 1 }]);
});

test('a notification is sent only of the outcomes that are asked for', async () => {
  const { url, received } = await startReceiver(200);
  const { notify, end } = setUp({ url, on: ['failed'] });
  notify(ENDING);
  notify({ ...ENDING, outcome: 'rolled-back' });
  notify(failed('broken'));
  await end();
  expect(received).toMatchObject([{ body: { outcome: 'failed', error: 'broken' } }]);
});

test('a notification to Slack cannot ping anybody or be markup', async () => {
  const { url, received } = await startReceiver(200);
  const { notify, end } = setUp({ url, format: 'slack' });
  notify(failed('<!channel> & <b>'));
  await end();
  expect(received[0]?.body).toEqual({
    text: 'blog: r1 failed in build (edit); visitors see what they saw before\n&lt;!channel&gt; &amp; &lt;b&gt;',
  });
});

test('a notification to Discord pings nobody and is not too long', async () => {
  const { url, received } = await startReceiver(204);
  const { notify, end } = setUp({ url, format: 'discord' });
  notify(failed(`@everyone ${'x'.repeat(5000)}`));
  await end();
  const [message] = received.map(({ body }) => body as { content: string });
  const { content, ...rest } = message as { content: string };
  expect(rest).toEqual({ allowed_mentions: { parse: [] } });
  expect(content).toMatch(/^blog: r1 failed in build/);
  expect(content.length).toBeLessThan(2000);
});

test('a receiver gets the user and password of its URL as they are meant', async () => {
  const { host, received } = await startReceiver(200);
  const { notify, end } = setUp({ url: `http://me:p%40ss@${host}/` });
  notify(ENDING);
  await end();
  const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  expect(received[0]?.headers.authorization).toBe(basic);
});

test('a receiver that is busy is tried again', async () => {
  const { url, received } = await startReceiver(503, 429, 200);
  const { notify, events, counters, end } = setUp({ url });
  notify(ENDING);
  await end();
  expect(received).toHaveLength(3);
  expect(counters).toEqual({ sent: 1, failed: 0 });
  expect(events('notify.sent')).toMatchObject([{ attempt: 3 }]);
});

test.each([404, 302, 400])(
  'a receiver that answers %i is not, since it would again',
  async (status) => {
    const { url, received } = await startReceiver(status);
    const { notify, events, end } = setUp({ url });
    notify(ENDING);
    await end();
    expect(received).toHaveLength(1);
    expect(events('notify.failed')).toMatchObject([{ error: `it answered ${status}` }]);
  },
);

test('a receiver that never answers is given up in the end', async () => {
  const { url, received } = await startReceiver(null);
  const { notify, events, end } = setUp({ url });
  notify(ENDING);
  await end();
  expect(received).toHaveLength(3);
  expect(events('notify.failed')).toMatchObject([{ error: 'no answer in 200 ms' }]);
});

test('a receiver that is not there holds nobody up, and no part of its URL but the host is logged', async () => {
  const [port] = await freePorts(1);
  const { notify, events, lines, end } = setUp({
    url: `http://me:s3cret@127.0.0.1:${port}/s3cret`,
  });
  const before = performance.now();
  notify(ENDING);
  expect(performance.now() - before).toBeLessThan(50);
  await end();
  expect(events('notify.failed')).toHaveLength(1);
  expect(JSON.stringify(lines)).not.toContain('s3cret');
});

test('a receiver is told of one ending after the other, in order', async () => {
  const { url, received } = await startReceiver(503, 200);
  const { notify, counters } = setUp({ url });
  notify(failed('first'));
  notify(ENDING);
  await until(() => counters.sent === 2, 'both');
  expect(received.map(({ body }) => (body as Ending).outcome)).toEqual([
    'failed',
    'failed',
    'promoted',
  ]);
});

test('a receiver that hangs has a limited number of endings wait for it', async () => {
  const { url } = await startReceiver(null);
  const { notify, counters } = setUp({ url });
  for (let count = 0; count < 30; count++) notify(ENDING);
  expect(counters.failed).toBe(10);
});

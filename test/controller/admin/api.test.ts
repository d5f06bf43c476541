import { randomBytes } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ControllerEvent, Operations } from '../../../src/controller/admin/api.ts';
import { createApp } from '../../../src/controller/admin/app.ts';
import { ORDER_ID, RELEASE } from '../../../src/controller/admin/examples.ts';
import type { Status } from '../../../src/controller/admin/status.ts';
import { SlotsError } from '../../../src/errors.ts';
import { newestBuildLog, releaseBuildLog } from '../../../src/slots/build-log.ts';
import { createPartial } from '../../../src/slots/release.ts';
import { adminClient, listenWith } from '../../support/admin-server.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { putRelease, releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { exampleOf, testOperations } from '../../support/test-operations.ts';
import { until } from '../../support/until.ts';

async function startApi(over: Partial<Operations> = {}) {
  const { operations, called } = testOperations(over);
  const { ask, port } = adminClient(await listenWith(createApp(operations)));
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await ask(method, path, {}, body === undefined ? body : JSON.stringify(body));
    return { status: answer.status, body: JSON.parse(answer.body) };
  };
  return { ask, call, called, port };
}

test.each([
  ['GET /api/status', undefined, ['status'], exampleOf('/api/status')],
  ['POST /api/promote', undefined, ['promote'], { id: ORDER_ID }],
  ['POST /api/restart', undefined, ['restart'], { id: ORDER_ID }],
  ['POST /api/rollback', { release: null }, ['rollback', null, false], { id: ORDER_ID }],
  ['POST /api/rollback', { release: RELEASE }, ['rollback', RELEASE, false], { id: ORDER_ID }],
  ['POST /api/pause', undefined, ['pause', false], {}],
  ['POST /api/pause?local=true', undefined, ['pause', true], {}],
  ['POST /api/resume', undefined, ['resume', false], {}],
  ['GET /api/releases', undefined, ['releases'], exampleOf('/api/releases')],
  ['GET /api/history', undefined, ['history', 100], exampleOf('/api/history')],
  ['GET /api/history?limit=7', undefined, ['history', 7], exampleOf('/api/history')],
])('the API: %s is done', async (route, body, wanted, answer) => {
  const { call, called } = await startApi();
  const [method = '', path = ''] = route.split(' ');
  expect(await call(method, path, body)).toEqual({ status: 200, body: answer });
  expect(called).toEqual([wanted]);
});

test('the API tells of the machines of a fleet', async () => {
  const { call } = await startApi();
  const answer = await call('GET', '/api/fleet');
  expect(answer).toEqual({ status: 200, body: exampleOf('/api/fleet') });
});

test('the API gives the last minutes of traffic', async () => {
  const { call } = await startApi();
  expect((await call('GET', '/api/traffic')).body).toEqual(exampleOf('/api/traffic'));
});

test.each([
  ['POST /api/rollback', { release: '../../etc' }],
  ['POST /api/rollback', { release: 5 }],
  ['POST /api/rollback', {}],
  ['POST /api/rollback', { release: null, force: true }],
  ['POST /api/rollback', 'nonsense'],
  ['GET /api/history?limit=0', undefined],
  ['GET /api/history?limit=many', undefined],
  ['GET /api/history?limit=1e9', undefined],
  ['GET /api/build-log?release=../../../etc/passwd', undefined],
  ['GET /api/build-log?release=', undefined],
])('the API: %s with %j is refused', async (route, body) => {
  const { call, called } = await startApi();
  const [method = '', path = ''] = route.split(' ');
  const answer = await call(method, path, body);
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST' } } });
  expect(called).toEqual([]);
});

test('the API refuses a body that is no JSON, and one that is too large', async () => {
  const { ask, called } = await startApi();
  expect((await ask('POST', '/api/rollback', {}, '{')).status).toBe(400);
  const large = `{"release":"${'x'.repeat(64 * 1024)}"}`;
  expect((await ask('POST', '/api/rollback', {}, large)).status).toBe(413);
  expect(called).toEqual([]);
});

test.each([
  'GET /api/promote',
  'POST /api/status',
  'GET /api/nothing',
  'GET /constructor',
  'GET /api/%',
  'GET http://localhost/api/status',
  'OPTIONS *',
  'GET /metrics',
  'POST /hooks/git',
])('the API has no %s', async (route) => {
  const { call } = await startApi();
  const [method = '', path = ''] = route.split(' ');
  expect(await call(method, path)).toMatchObject({
    status: 404,
    body: { error: { code: 'NO_SUCH_CALL' } },
  });
});

test('the API passes on why something cannot be done', async () => {
  const { call } = await startApi({
    promote: async () => {
      throw new SlotsError('NO_STANDBY', 'there is none', { hint: 'wait' });
    },
    pause: async () => {
      throw new TypeError('a bug');
    },
  });
  expect(await call('POST', '/api/promote')).toEqual({
    status: 409,
    body: { error: { code: 'NO_STANDBY', message: 'there is none', hint: 'wait' } },
  });
  expect(await call('POST', '/api/pause')).toMatchObject({
    status: 500,
    body: { error: { code: 'UNEXPECTED' } },
  });
});

test('a build log is sent as it is, its end only when it is long', async () => {
  const path = join(await tempFolder(), 'build.log');
  const { ask } = await startApi({ buildLog: async () => path });
  expect((await ask('GET', '/api/build-log')).status).toBe(404);
  await writeFile(path, '');
  expect(await ask('GET', '/api/build-log')).toMatchObject({ status: 200, body: '' });
  await writeFile(path, 'grün\n');
  expect(await ask('GET', '/api/build-log')).toMatchObject({
    status: 200,
    body: 'grün\n',
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  });
  await writeFile(path, 'x'.repeat(3 * 1024 * 1024));
  await appendFile(path, 'the end');
  const { body } = await ask('GET', `/api/build-log?release=${RELEASE}`);
  expect(body).toHaveLength(2 * 1024 * 1024);
  expect(body.endsWith('the end')).toBe(true);
});

test('a build log is found for the running build, a kept release, and none else', async () => {
  const paths = await tempSite();
  expect(await newestBuildLog(paths)).toBeNull();
  const [kept, building] = [releaseIdOf(1), releaseIdOf(2)];
  await putRelease(paths, kept);
  await writeFile(join(paths.releases, kept, 'build.log'), 'kept');
  expect(await newestBuildLog(paths)).toBe(join(paths.releases, kept, 'build.log'));
  await createPartial(paths, building);
  const partial = join(paths.releases, `${building}.partial`, 'build.log');
  expect(await newestBuildLog(paths)).toBe(partial);
  expect(await releaseBuildLog(paths, building)).toBe(partial);
  for (const id of [releaseIdOf(3), '..', '../../state.json']) {
    await expect(releaseBuildLog(paths, id)).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' });
  }
});

describe('the events', () => {
  function events(port: number): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const outgoing = get({ host: '127.0.0.1', port, path: '/api/events', agent: false }, resolve);
      outgoing.on('error', reject);
      onTestFinished(() => void outgoing.destroy());
    });
  }

  test('begin with the status, go on as things happen, and end when the follower goes', async () => {
    let send: (event: ControllerEvent) => void = () => {};
    let gone: AbortSignal | null = null;
    const { port } = await startApi({
      follow(listener, signal) {
        send = listener;
        gone = signal;
      },
    });
    const stream = await events(port);
    let read = '';
    stream.setEncoding('utf8').on('data', (text) => {
      read += text;
    });
    stream.on('error', () => {});
    expect(stream.headers['content-type']).toBe('text/event-stream');
    await until(() => read.includes('\n\n'), 'the status');
    send({ type: 'build-line', line: 'two\nlines' });
    await until(() => read.split('\n\n').length === 3, 'the line');
    const [first, second] = read.split('\n\n').map((text) => JSON.parse(text.slice(6) || 'null'));
    expect(first).toEqual({ type: 'status', status: exampleOf('/api/status') });
    expect(second).toEqual({ type: 'build-line', line: 'two\nlines' });
    stream.destroy();
    await until(() => (gone as AbortSignal | null)?.aborted, 'the end');
  });

  test('leave out lines for a follower that does not read, and end when changes pile up', async () => {
    let send: (event: ControllerEvent) => void = () => {};
    let gone: AbortSignal | null = null;
    const { port } = await startApi({
      follow(listener, signal) {
        send = listener;
        gone = signal;
      },
    });
    const stream = await events(port);
    stream.on('error', () => {});
    const text = randomBytes(64 * 1024).toString('hex');
    const before = process.memoryUsage().rss;
    for (let line = 0; line < 20_000; line++) send({ type: 'build-line', line: text });
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
    expect((gone as AbortSignal | null)?.aborted).toBe(false);
    const status = { ...(exampleOf('/api/status') as Status), name: text };
    await until(() => {
      send({ type: 'status', status });
      return (gone as AbortSignal | null)?.aborted;
    }, 'the connection to be closed');
  });
});

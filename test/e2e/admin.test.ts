import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { z } from 'zod';
import { ROUTES } from '../../src/controller/admin/routes/index.ts';
import { type AdminClient, adminClient } from '../support/admin-server.ts';
import { git, withRemote } from '../support/git-site.ts';
import { startLoad } from '../support/load.ts';
import { PLAIN_PATHS, type PlainSite, plainSite } from '../support/plain-site.ts';
import { signalProcess } from '../support/processes.ts';
import { startReceiver } from '../support/receiver.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const SECRET = 'a secret of twenty-two';

async function tokenOf(site: Site): Promise<string> {
  return (await readFile(join(site.root, 'slots/admin-token'), 'utf8')).trim();
}

/** The sum of a metric's samples whose labels contain this text. */
async function metric({ ask }: AdminClient, name: string, labels = ''): Promise<number> {
  const { body } = await ask('GET', '/metrics');
  return body
    .split('\n')
    .filter((line) => line.startsWith(name) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

describe('the admin port of a running site', () => {
  let site: PlainSite;
  let admin: AdminClient;
  let bearer: { authorization: string };

  const answerSchema = (url: string) =>
    ROUTES.find((route) => route.url === url)?.schema.response?.[200] as z.ZodType;

  /** One call with the token, whose answer must be as its schema says. */
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await admin.ask(method, path, bearer, body ? JSON.stringify(body) : undefined);
    return {
      status: answer.status,
      body: answerSchema(path).parse(JSON.parse(answer.body)) as Record<string, never>,
    };
  };

  beforeAll(async () => {
    site = await plainSite({ cleanup: 'caller' });
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
    admin = adminClient(site.ports.admin);
    bearer = { authorization: `Bearer ${await tokenOf(site)}` };
  });

  afterAll(() => site.dispose());

  test('lets in who has the token, under no other name and from no other page', async () => {
    expect((await stat(join(site.root, 'slots/admin-token'))).mode & 0o777).toBe(0o600);
    const promote = (headers: Record<string, string>) =>
      admin.ask('POST', '/api/promote', headers).then(({ status }) => status);
    expect(await promote({})).toBe(401);
    expect(await promote({ authorization: `Bearer ${'0'.repeat(64)}` })).toBe(401);
    expect(await promote({ ...bearer, host: 'evil.example' })).toBe(403);
    expect(await promote({ ...bearer, origin: 'https://evil.example' })).toBe(403);
    expect((await admin.ask('GET', '/metrics', { host: 'evil.example' })).status).toBe(403);
    expect((await admin.ask('GET', '/api/health')).status).toBe(200);
    expect((await admin.ask('POST', '/hooks/git', bearer)).status).toBe(404);
    const history = await site.slots('history', '--json');
    expect(JSON.parse(history.stdout)).toMatchObject([{ trigger: 'start' }]);
    expect((await site.status()).promotion).toBeNull();
  });

  test('answers each call as it is documented', async () => {
    for (const what of ['health', 'status', 'releases', 'history', 'traffic']) {
      expect((await call('GET', `/api/${what}`)).status).toBe(200);
    }
    const log = await admin.ask('GET', '/api/build-log', bearer);
    expect(log).toMatchObject({ status: 200, body: 'building the plain site\n' });
    const { body } = await admin.ask('GET', '/api/openapi.json', bearer);
    expect(JSON.parse(body)).toMatchObject({ openapi: '3.1.0' });
  });

  test('promotes, tells of it as it happens, and rolls back', async () => {
    const events = new AbortController();
    const url = `http://127.0.0.1:${site.ports.admin}/api/events?token=${await tokenOf(site)}`;
    const stream = await fetch(url, { signal: events.signal });
    let told = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of stream.body ?? []) told += decoder.decode(chunk);
    })().catch(() => {});
    const before = (await site.get()).release;

    const { id } = (await call('POST', '/api/promote')).body;
    await until(async () => (await site.status()).last?.id === id, 'the promotion', 60_000);
    await until(() => told.includes('"outcome":"promoted"'), 'the event');
    expect(told).toContain('{"type":"build-line","line":"building the plain site"}');
    events.abort();
    await reading;
    for (const text of told.split('\n\n').filter((event) => event.startsWith('data: '))) {
      answerSchema('/api/events').parse(JSON.parse(text.slice('data: '.length)));
    }
    expect((await site.get()).release).not.toBe(before);

    await call('POST', '/api/rollback', { release: null });
    expect((await site.get()).release).toBe(before);
    expect((await call('GET', '/api/status')).body).toMatchObject({
      watcher: { paused: true },
    });
    await call('POST', '/api/resume');
    await site.settled();
    const { body } = await call('GET', '/api/history');
    expect(body).toMatchObject([
      { trigger: 'start' },
      { id, trigger: 'promote', outcome: 'promoted' },
      { trigger: 'rollback', outcome: 'rolled-back' },
    ]);
  });

  test('counts every request of every worker once, and forgets none of a worker that is killed', async () => {
    // Nobody else asks for what is not there.
    const { release } = await site.get();
    const counted = () => metric(admin, 'slots_requests_total', `release="${release}",class="4xx"`);
    const visit = async (times: number) => {
      for (let count = 0; count < times; count++) await site.get('/nothing');
    };
    expect(await counted()).toBe(0);
    await visit(48);
    await until(async () => (await counted()) === 48, 'all 48 to be counted');
    const all = await metric(admin, 'slots_requests_total');

    const [pid] = (await site.pids()).proxy;
    signalProcess(pid as number, 'SIGKILL');
    await until(async () => {
      const { workers } = (await site.status()).proxy;
      return workers.length === 2 && workers.every((worker) => worker.pid !== pid);
    }, 'another worker');
    expect(await counted()).toBe(48);
    expect(await metric(admin, 'slots_requests_total')).toBeGreaterThanOrEqual(all);
    await visit(20);
    await until(async () => (await counted()) === 68, 'all 68 to be counted');
    expect(await metric(admin, 'slots_request_latency_seconds_count')).toBe(
      await metric(admin, 'slots_requests_total'),
    );
  });

  test('measures what runs', async () => {
    const { active, epoch } = await site.status();
    expect(await metric(admin, 'slots_active', `slot="${active}"`)).toBe(1);
    expect(await metric(admin, 'slots_active')).toBe(1);
    expect(await metric(admin, 'slots_epoch')).toBe(epoch);
    expect(await metric(admin, 'slots_process_online')).toBe(7);
    expect(await metric(admin, 'slots_pm2_daemon_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(await metric(admin, 'slots_promotions_total', '"promoted"')).toBe(2);
    expect(await metric(admin, 'slots_promotions_total', '"rolled-back"')).toBe(1);
    expect(await metric(admin, 'slots_promotion_stage_duration_seconds_count', '"build"')).toBe(2);
    const open = site.get('/api/slow?ms=1500');
    await until(async () => (await metric(admin, 'slots_inflight')) === 1, 'the open request');
    await open;
    const { body } = await call('GET', '/api/traffic');
    const points = body.points as unknown as { requests: number; p99Ms: number | null }[];
    expect(points.some(({ requests, p99Ms }) => requests > 10 && p99Ms !== null)).toBe(true);
  });
});

test('a git push is live by the webhook, with no failed request, and others are told', async () => {
  const { url, received } = await startReceiver(200);
  const site = await plainSite({
    config: {
      deploy: { git: true, secret: SECRET },
      notify: [{ url }],
      onPromoted: 'echo "$SLOTS_TRIGGER $SLOTS_OUTCOME $SLOTS_RELEASE" >> slots/told.txt',
    },
  });
  const base = await mkdtemp(join(tmpdir(), 'slots-git-'));
  onTestFinished(() => rm(base, { recursive: true, force: true }));
  const { push } = await withRemote(site.root, base);
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  const admin = adminClient(site.ports.admin);
  const hook = async (secret = SECRET) => {
    const body = '{"ref":"refs/heads/main"}';
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const headers = { host: 'deploy.example', 'x-hub-signature-256': `sha256=${signature}` };
    const answer = await admin.ask('POST', '/hooks/git', headers, body);
    return { status: answer.status, body: JSON.parse(answer.body) };
  };
  const load = startLoad(site.origin, { paths: PLAIN_PATHS, keepAlive: 4, fresh: 2 });

  const commit = await push('src/content/page.txt', 'pushed');
  expect((await hook('wrong')).status).toBe(401);
  expect((await site.get()).body).not.toBe('pushed');
  const deployed = await hook();
  expect(deployed).toMatchObject({ status: 200, body: { outcome: 'deployed', to: commit } });
  await until(async () => (await site.get()).body === 'pushed', 'the push to be live', 30_000);
  const { last } = await site.settled();
  expect(last).toMatchObject({ id: deployed.body.id, outcome: 'promoted' });
  expect((await hook()).body.outcome).toBe('unchanged');

  // A change outside of the watched files, too, is what was pushed.
  await push('server/note.txt', 'not watched');
  const { id } = (await hook()).body;
  await until(async () => (await site.status()).last?.id === id, 'the promotion', 30_000);

  await site.edit('page.txt', 'edited in place');
  await until(async () => (await site.get()).body === 'edited in place', 'the edit', 30_000);
  await site.settled();
  await push('src/content/page.txt', 'pushed again');
  expect(await hook()).toMatchObject({ status: 409, body: { error: { code: 'GIT_DIRTY' } } });
  await git(site.root, 'restore', '.');
  expect(await hook()).toMatchObject({ status: 200, body: { outcome: 'deployed' } });
  await until(async () => (await site.get()).body === 'pushed again', 'the push', 30_000);
  await site.settled();

  const { failures, failed } = await load.stop();
  expect(failures).toEqual([]);
  expect(failed).toBe(0);
  const { release } = await site.get();
  const said = await until(async () => {
    const text = await readFile(join(site.root, 'slots/told.txt'), 'utf8');
    return text.includes(`push promoted ${release}`) && text;
  }, 'the command');
  expect(said).toContain('start promoted r');
  await until(
    () => received.some(({ body }) => (body as { release: string }).release === release),
    'the notification',
  );
  const log = (await site.slots('logs', 'watcher', '-n', '200')).stdout;
  expect(log).not.toContain(SECRET);
  expect(log).not.toContain('s3cret');
});

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { testFront } from '../support/front.ts';
import { until } from '../support/until.ts';

test('two sites with hosts share one front, which routes by host and takes one out without the other', async () => {
  const front = await testFront();
  const blog = await front.site({ hosts: ['blog.test', '*.blog.test'] });
  const shop = await front.site({ hosts: ['shop.test', 'www.blog.test'] });
  for (const site of [blog, shop]) {
    const up = await site.slots('up');
    expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  }
  await blog.edit('page.txt', 'the blog\n');
  await shop.edit('page.txt', 'the shop\n');
  const body = async (host: string) => (await front.get(host)).body;
  await until(async () => (await body('blog.test')) === 'the blog\n', 'the blog', 30_000);
  await until(async () => (await body('SHOP.test')) === 'the shop\n', 'the shop', 30_000);
  expect(await body('any.thing.blog.test')).toBe('the blog\n');
  expect(await body('www.blog.test')).toBe('the shop\n');

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const kept = async (host: string) => (await front.get(host, '/', { agent })).body;
  expect([await kept('blog.test'), await kept('shop.test'), await kept('blog.test')]).toEqual([
    'the blog\n',
    'the shop\n',
    'the blog\n',
  ]);

  const unknown = await front.get('else.test');
  expect(unknown.status).toBe(404);
  expect(unknown.body).not.toMatch(/blog|shop|slots/);

  const { sites, workers } = await front.status();
  expect(workers).toHaveLength(2);
  expect(sites.map(({ name, hosts, workers }) => ({ name, hosts, workers }))).toEqual(
    [blog, shop]
      .map(({ name }, i) => ({
        name,
        hosts: i === 0 ? ['blog.test', '*.blog.test'] : ['shop.test', 'www.blog.test'],
        workers: 2,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  );

  const { proxy } = await shop.status();
  expect(proxy).toMatchObject({ port: front.ports.http, hosts: ['shop.test', 'www.blog.test'] });
  expect((await shop.slots('status')).stdout).toContain(`http://shop.test:${front.ports.http}`);

  const doctor = await blog.slots('doctor', '--json');
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; level: string }[] };
  const named = (name: string) => checks.find((check) => check.name === name)?.level;
  expect(checks.filter(({ level }) => level === 'problem')).toEqual([]);
  expect([named('low-ports'), named('front'), named('hosts'), named('health proxy')]).toEqual([
    'ok',
    'ok',
    'ok',
    'ok',
  ]);

  const third = await front.site({ hosts: ['new.test', 'shop.test'] });
  const refused = await third.slots('up');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(`shop.test is the host of the site ${shop.name}`);

  const shopAgent = new Agent({ keepAlive: true, maxSockets: 1 });
  let sockets = 0;
  const stay = async () => {
    const answer = await front.get('shop.test', '/', { agent: shopAgent });
    if (answer.headers.connection === 'close') sockets++;
    return answer.body;
  };
  expect(await stay()).toBe('the shop\n');
  expect((await blog.slots('down')).exitCode).toBe(0);
  expect(await stay()).toBe('the shop\n');
  expect(sockets).toBe(0);
  expect((await front.get('blog.test')).status).toBe(404);
  agent.destroy();
  shopAgent.destroy();
});

test('a front that is down says so, and serves its registered sites again once it is up', async () => {
  const front = await testFront();
  const idle = await front.run('status');
  expect(idle.exitCode).toBe(3);
  expect(idle.stderr).toContain('slots front up');
  const site = await front.site({ hosts: ['one.test'] });
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  expect((await front.run('up')).stdout).toContain('was up already');
  expect((await front.run('down')).exitCode).toBe(0);
  const down = await front.run('status', '--json');
  expect(down.exitCode).toBe(3);
  expect(JSON.parse(down.stdout)).toMatchObject({ workers: [], sites: [{ name: site.name }] });
  await expect(front.get('one.test')).rejects.toThrow('ECONNREFUSED');
  expect((await front.run('up')).exitCode).toBe(0);
  expect((await front.get('one.test')).status).toBe(200);
  const init = await front.run('init');
  expect(init.exitCode).toBe(1);
  expect(init.stderr).toContain('front.json');
});

test('a front whose port is taken says whose it is not, and leaves no PM2 behind', async () => {
  const front = await testFront();
  const other = createServer().listen(front.ports.https, '127.0.0.1');
  onTestFinished(() => void other.close());
  const refused = await front.run('up');
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain(`port ${front.ports.https}`);
  expect(await readdir(front.pm2Home)).not.toContain('pm2.pid');
});

test('a bad host and a bad front.json are each refused in one line, before PM2 is started', async () => {
  const front = await testFront();
  const site = await front.site({ hosts: ['http://one.test'] });
  const bad = await site.slots('up');
  expect(bad.exitCode).toBe(1);
  expect(bad.stderr).toMatch(/hosts\.0: "http:\/\/one\.test" \(a host such as blog\.example\.com/);
  // For the end of the test, which takes the site down.
  const file = join(site.root, 'slots.config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...config, hosts: ['one.test'] }));
  await writeFile(join(front.slotsHome, 'front.json'), JSON.stringify({ ports: { http: 0 } }));
  for (const refused of [
    await front.run('up'),
    await front.run('reload'),
    await site.slots('up'),
  ]) {
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/front\.json: ports\.http: 0 \(/);
    expect(refused.stderr.trim().split('\n')).toHaveLength(1);
  }
  expect(await readdir(front.pm2Home)).toEqual([]);
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ecosystem } from '../../src/config/ecosystem.ts';
import { plainSite } from '../support/plain-site.ts';
import { isAlive, signalProcess } from '../support/processes.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const packageFile = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What an ecosystem.config.cjs of a site of one's own says. */
async function writeEcosystem(site: Site): Promise<void> {
  const module = JSON.stringify(packageFile('dist/config/ecosystem.js'));
  const text = `module.exports = require(${module}).ecosystem(__dirname);\n`;
  await writeFile(join(site.root, 'ecosystem.config.cjs'), text);
}

test('comes up, says where things are, comes up again without harm, and goes down', async () => {
  const site = await plainSite();
  const up = await site.slots('up');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  expect(up.stdout).toContain(`http://localhost:${site.ports.proxy}`);
  expect(up.stdout).toContain(`${site.root}/src/content`);
  expect(up.stdout).toContain('slots status');
  const before = await site.pids();
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  expect(await site.pids()).toEqual(before);

  const down = await site.slots('down');
  expect(down).toMatchObject({ exitCode: 0 });
  expect(await site.pids()).toEqual({ watcher: [], proxy: [], blue: [], green: [] });
  expect((await site.slots('down')).stdout).toContain('was not running');

  // Nothing is built again: the release is there.
  const { release } = JSON.parse(await readFile(join(site.root, 'slots/state.json'), 'utf8')).slots
    .blue;
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  expect((await site.get()).release).toBe(release);
});

test('stays attached in the foreground, shows the logs, and stops what it started on Ctrl-C', async () => {
  const site = await plainSite();
  const up = site.spawn('up', '--foreground');
  let output = '';
  up.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(() => output.includes('is up'), 'the site to be up', 60_000);
  await site.edit('page.txt', 'seen in the log');
  await until(
    () => /watcher .*promoted: r/.test(output),
    'the log to tell of the promotion',
    30_000,
  );
  const daemon = (await site.daemonPid()) as number;
  up.kill('SIGINT');
  const [code] = await once(up, 'exit');
  expect(code).toBe(0);
  expect(await site.pids()).toEqual({ watcher: [], proxy: [], blue: [], green: [] });
  expect(isAlive(daemon)).toBe(false);
});

test('finishes a request that is open when everything is told to stop', async () => {
  const site = await plainSite();
  await site.slots('up');
  const open = site.get('/api/slow?ms=1500');
  await until(async () => {
    const { slots, active } = await site.status();
    return slots[active].inflight === 1;
  }, 'the request to be open');
  await site.slots('down');
  expect((await open).status).toBe(200);
});

test('says which port is taken, and by which key to change it', async () => {
  const site = await plainSite();
  const other = createServer().listen(site.ports.proxy, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const up = await site.slots('up');
  expect(up.exitCode).toBe(1);
  expect(up.stderr).toContain(`ports.proxy: port ${site.ports.proxy} is taken by another program`);
});

test('says in one line what is wrong with a config, and exits with 1', async () => {
  const site = await plainSite();
  const file = join(site.root, 'slots.config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...config, debounceMs: 'soon', colour: 'red' }));
  const up = await site.slots('up');
  expect(up.exitCode).toBe(1);
  expect(up.stderr).toMatch(/slots\.config\.json: debounceMs: "soon" \(expected number/);
  expect(up.stderr).toContain('colour: no such key');
  expect(up.stderr).not.toMatch(/^\s+at /m);
  await writeFile(file, JSON.stringify(config));
});

test('exits with 2 for a command that does not exist and suggests the right one', async () => {
  const site = await plainSite();
  const wrong = await site.slots('statsu');
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain('Did you mean status?');
  expect((await site.slots('logs', 'kitchen')).exitCode).toBe(2);
});

test('says in one line that -C names no folder, and what the system refuses', async () => {
  const site = await plainSite();
  expect(await site.slots('-C', '/nowhere', 'status')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('-C: "/nowhere" is not a folder'),
  });
  await writeFile(join(site.root, 'slots'), 'in the way');
  const built = await site.slots('build');
  await rm(join(site.root, 'slots'));
  expect(built.exitCode).toBe(1);
  expect(built.stderr).toContain(join(site.root, 'slots'));
  expect(built.stderr).not.toMatch(/^\s+at /m);
});

test('reads state.json and PM2 while the controller is away, says so, and exits with 3', async () => {
  const site = await plainSite();
  await site.slots('up');
  const before = await site.status();
  const pm2 = packageFile('node_modules/.bin/pm2');
  await promisify(execFile)(pm2, ['stop', `${site.name}-watcher`], { env: site.env });
  const status = await site.slots('status', '--json');
  expect(status.exitCode).toBe(3);
  expect(status.stderr).toContain('no controller answers');
  const told = JSON.parse(status.stdout);
  expect(Object.keys(told)).toEqual(Object.keys(before));
  expect(told.slots.blue.release).toBe(before.slots.blue.release);
  expect((await site.slots('promote')).exitCode).toBe(3);
  // The proxy does not need it.
  expect((await site.get()).status).toBe(200);
});

test('prints the status as the design has it', async () => {
  const site = await plainSite();
  await site.slots('up');
  await site.edit('page.txt', 'second');
  await until(async () => (await site.get()).body === 'second', 'the second release', 30_000);
  await site.settled();
  const { stdout } = await site.slots('status', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    name: site.name,
    version: expect.any(String),
    active: 'green',
    epoch: 2,
    proxy: {
      port: site.ports.proxy,
      workers: [
        { pid: expect.any(Number), epoch: 2, inflight: { blue: 0, green: 0 } },
        { pid: expect.any(Number), epoch: 2, inflight: { blue: 0, green: 0 } },
      ],
    },
    slots: {
      blue: { port: site.ports.blue, role: 'standby', release: expect.any(String), inflight: 0 },
      green: {
        port: site.ports.green,
        role: 'active',
        healthy: true,
        instances: Array(2).fill({
          pid: expect.any(Number),
          status: 'online',
          uptimeMs: expect.any(Number),
          memoryBytes: expect.any(Number),
          restarts: expect.any(Number),
        }),
      },
    },
    promotion: null,
    last: {
      id: expect.any(String),
      outcome: 'promoted',
      stage: 'reload',
      error: null,
      finishedAt: expect.any(String),
      durationsMs: {
        build: expect.any(Number),
        start: expect.any(Number),
        check: expect.any(Number),
        flip: expect.any(Number),
        drain: expect.any(Number),
        reload: expect.any(Number),
      },
    },
    watcher: { paths: ['src/content'], pending: 0, paused: false },
  });
});

test('builds a release without promoting it, which then goes live at once on a first start', async () => {
  const site = await plainSite();
  const build = await site.slots('build');
  expect(build, build.stderr).toMatchObject({ exitCode: 0 });
  const [release] = JSON.parse((await site.slots('releases', '--json')).stdout);
  expect(build.stdout).toContain(release.id);
  await site.slots('up');
  expect((await site.get()).release).toBe(release.id);
  // Two workers that came up while the first release went live were left alone.
  const log = await readFile(
    join(site.env.PM2_HOME as string, `logs/${site.name}-watcher-out.log`),
    'utf8',
  );
  expect(log).not.toContain('worker.silent');
});

test('starts under plain PM2 from its ecosystem file', async () => {
  const site = await plainSite();
  await writeEcosystem(site);
  const pm2 = packageFile('node_modules/.bin/pm2');
  await promisify(execFile)(pm2, ['start', 'ecosystem.config.cjs'], {
    cwd: site.root,
    env: site.env,
  });
  await until(async () => (await site.get()).status === 200, 'the first release', 30_000);
  const { stdout } = await promisify(execFile)(pm2, ['jlist'], { env: site.env });
  const names = JSON.parse(stdout.slice(stdout.indexOf('['))).map(
    ({ name }: { name: string }) => name,
  );
  expect(new Set(names)).toEqual(
    new Set(['proxy', 'watcher', 'blue', 'green'].map((role) => `${site.name}-${role}`)),
  );
});

/** `pm2-runtime`, as in a container, and the site served by it. */
async function startRuntime(site: Site): Promise<ChildProcess> {
  await writeEcosystem(site);
  const runtime = spawn(
    process.execPath,
    [packageFile('node_modules/pm2/bin/pm2-runtime'), 'start', 'ecosystem.config.cjs'],
    { cwd: site.root, env: site.env, stdio: 'ignore' },
  );
  onTestFinished(() => signalProcess(runtime.pid as number, 'SIGKILL'));
  await until(async () => (await site.get()).status === 200, 'the first release', 30_000);
  return runtime;
}

test('builds and serves under pm2-runtime with empty slots, and finishes what is open on SIGTERM', async () => {
  const site = await plainSite();
  const runtime = await startRuntime(site);
  const open = site.get('/api/slow?ms=1500');
  await until(async () => {
    const { slots, active } = await site.status();
    return slots[active].inflight === 1;
  }, 'the request to be open');
  runtime.kill('SIGTERM');
  expect((await open).status).toBe(200);
  await once(runtime, 'exit');
});

test('answers the last request of each connection when all of PM2 is told to stop', async () => {
  const site = await plainSite();
  const runtime = await startRuntime(site);
  const visitors = Array.from({ length: 8 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  onTestFinished(() => visitors.forEach((visitor) => void visitor.destroy()));
  for (const visitor of visitors) expect((await site.get('/', visitor)).status).toBe(200);
  runtime.kill('SIGTERM');
  await until(
    () =>
      site.get().then(
        () => false,
        ({ code }) => code === 'ECONNREFUSED',
      ),
    'the proxy to take no more connections',
  );
  const last = await Promise.all(visitors.map((visitor) => site.get('/', visitor)));
  expect(last.map(({ status }) => status)).toEqual(visitors.map(() => 200));
  await once(runtime, 'exit');
});

test('refuses a second controller, naming the first', async () => {
  const site = await plainSite();
  await site.slots('up');
  const [first] = (await site.pids()).watcher;
  const second = spawn(process.execPath, [packageFile('dist/controller/main.js')], {
    cwd: site.root,
    env: { ...site.env, SLOTS_ROOT: site.root },
  });
  let output = '';
  second.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = await once(second, 'exit');
  expect(code).toBe(1);
  expect(output).toContain(`this site's controller runs already, with pid ${first}`);
  expect((await site.status()).slots.blue.role).toBe('active');
});

test('has one winner when two start everything at once', async () => {
  const site = await plainSite();
  const results = await Promise.all([site.slots('up'), site.slots('up')]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const pids = await site.pids();
  expect(pids.watcher).toHaveLength(1);
  expect(pids.proxy).toHaveLength(2);
  expect((await site.get()).status).toBe(200);
});

test('is one site, by its folder and by a link to it', async () => {
  const site = await plainSite();
  const link = `${site.root}-link`;
  await symlink(site.root, link);
  onTestFinished(() => rm(link));
  expect(await site.slots('up', '-C', link)).toMatchObject({ exitCode: 0 });
  const pids = await site.pids();
  const again = await site.slots('up');
  expect(again, again.stderr).toMatchObject({ exitCode: 0 });
  expect(await site.pids()).toEqual(pids);
  expect((await site.slots('status', '-C', link)).exitCode).toBe(0);
  expect((await site.slots('down')).stdout).toContain('is down');
  await expect(site.get()).rejects.toThrow('ECONNREFUSED');
  const roots = ecosystem(link).apps.map(({ cwd, env }) => [cwd, env.SLOTS_ROOT]);
  expect(roots).toEqual(roots.map(() => [site.root, site.root]));
});

test('does not say of a site that another PM2 runs that it was not running', async () => {
  const site = await plainSite();
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  const home = site.env.PM2_HOME as string;
  site.env.PM2_HOME = `${home}-other`;
  const down = await site.slots('down');
  site.env.PM2_HOME = home;
  expect(down).toMatchObject({ exitCode: 1 });
  expect(down.stderr).toContain(`${home}-other`);
  expect((await site.get()).status).toBe(200);
});

test('slots logs -n 0 shows no line that is there already', async () => {
  const site = await plainSite();
  expect(await site.slots('up')).toMatchObject({ exitCode: 0 });
  expect((await site.slots('logs', '-n', '1')).stdout).not.toBe('');
  expect(await site.slots('logs', '-n', '0')).toMatchObject({ exitCode: 0, stdout: '' });
});

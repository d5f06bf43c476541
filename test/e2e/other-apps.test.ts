import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts } from '../support/free-ports.ts';
import { type PlainSite, plainSite } from '../support/plain-site.ts';
import { until } from '../support/until.ts';

const PM2 = fileURLToPath(new URL('../../node_modules/pm2/bin/pm2', import.meta.url));

const APP = `
const { createServer } = require('node:http');
createServer((_request, response) => response.end(String(process.pid))).listen(process.env.PORT, '127.0.0.1');
`;

interface Listed {
  name: string;
  pid: number;
  pm2_env: { status: string; restart_time: number; pm_uptime: number; env: object };
}

async function pm2(site: PlainSite, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [PM2, ...args], {
    cwd: site.root,
    env: site.env,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** What PM2 says of the apps that are not the site's. */
async function others(site: PlainSite) {
  const list = JSON.parse(await pm2(site, 'jlist')) as Listed[];
  return list
    .filter(({ name }) => name.startsWith('their-'))
    .map(({ name, pid, pm2_env: { status, restart_time, pm_uptime, env } }) => ({
      name,
      pid,
      status,
      restart_time,
      pm_uptime,
      env,
    }));
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false }, (answer) => {
      text(answer).then(resolve, reject);
    }).on('error', reject);
  });
}

test('other apps of a PM2 daemon that was there before are left as they are, whatever slots does beside them', async () => {
  const site = await plainSite();
  const [clusterPort = 0, forkPort = 0] = await freePorts(2);
  const app = join(site.root, 'their-app.cjs');
  await writeFile(app, APP);
  const start = (name: string, port: number, ...args: string[]) => {
    site.env.PORT = String(port);
    return pm2(site, 'start', app, '--name', name, ...args);
  };
  await start('their-cluster', clusterPort, '-i', '2');
  await start('their-fork', forkPort);
  delete site.env.PORT;
  onTestFinished(() => pm2(site, 'kill').then(() => {}));
  const daemon = await site.daemonPid();
  const before = await others(site);
  expect(before.map(({ status }) => status)).toEqual(['online', 'online', 'online']);
  // PM2 calls an app online once its process runs, which may be before the app listens.
  for (const port of [clusterPort, forkPort]) {
    const answers = () => ask(port).then(Boolean, () => false);
    await until(answers, `the app on ${port} to answer`);
  }

  const failures: unknown[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      for (const port of [clusterPort, forkPort]) await ask(port).catch((e) => failures.push(e));
    }
  })();

  const run = async (...args: string[]) => {
    const result = await site.slots(...args);
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    expect(await site.daemonPid()).toBe(daemon);
    expect(await others(site)).toEqual(before);
    return result;
  };
  await run('up');
  await site.edit('page.txt', 'edited');
  await until(async () => (await site.get()).body === 'edited', 'the edit to be live');
  await run('rollback');
  await run('restart');
  const own = Object.values(await site.pids()).flat();
  const upgrade = await run('upgrade');
  expect(upgrade.stdout).toContain("PM2's daemon runs their-cluster, their-fork too");
  await until(
    async () =>
      !Object.values(await site.pids())
        .flat()
        .some((pid) => own.includes(pid)),
    "all of the site's processes to be new ones",
  );
  await run('down');

  isOver = true;
  await asking;
  expect(failures).toEqual([]);
});

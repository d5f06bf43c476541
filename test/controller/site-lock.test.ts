import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer as createNetServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { controllerPid, listenOnControlSocket } from '../../src/controller/control-socket.ts';
import { takeSiteLock } from '../../src/controller/site-lock.ts';
import type { SitePaths } from '../../src/slots/paths.ts';
import { freePorts } from '../support/free-ports.ts';
import { tempSite } from '../support/temp-site.ts';
import { until } from '../support/until.ts';

function closeLater<T extends { close(): unknown }>(server: T): T {
  onTestFinished(() => void server.close());
  return server;
}

async function site() {
  const [port = 0] = await freePorts(1);
  return { paths: await tempSite(), port };
}

const answerHealth = (_request: unknown, response: { end(body: string): void }) =>
  response.end(JSON.stringify({ ok: true, pid: process.pid }));

async function listen(paths: SitePaths, onWorker: (pid: number) => void = () => {}) {
  const server = await listenOnControlSocket(paths, answerHealth, (socket, pid) => {
    onWorker(pid);
    socket.destroy();
  });
  return closeLater(server);
}

test('the site lock listens on the loopback address only', async () => {
  const { paths, port } = await site();
  const admin = closeLater(await takeSiteLock(paths, port));
  expect(admin.address()).toMatchObject({ address: '127.0.0.1', port });
});

test('the site lock is refused while another controller answers, and names its pid', async () => {
  const { paths, port } = await site();
  closeLater(await takeSiteLock(paths, port));
  await listen(paths);
  await expect(takeSiteLock(paths, port)).rejects.toMatchObject({
    code: 'CONTROLLER_RUNS',
    message: `this site's controller runs already, with pid ${process.pid}`,
  });
});

test('the site lock is refused to a second controller even when another port was configured meanwhile', async () => {
  const { paths, port } = await site();
  await listen(paths);
  await expect(takeSiteLock(paths, port)).rejects.toMatchObject({ code: 'CONTROLLER_RUNS' });
});

test('the site lock is given to one of many controllers that come at once', async () => {
  const { paths, port } = await site();
  const attempts = Array.from({ length: 8 }, () => takeSiteLock(paths, port));
  const results = await Promise.allSettled(attempts);
  const won = results.filter((result) => result.status === 'fulfilled');
  for (const { value } of won) closeLater(value);
  expect(won).toHaveLength(1);
});

test('the site lock says which port is taken when another program has it', async () => {
  const { paths, port } = await site();
  const other = closeLater(createNetServer());
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  await expect(takeSiteLock(paths, port)).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining(`ports.admin: port ${port}`),
    hint: expect.stringContaining('"ports.admin"'),
  });
});

test('the site lock is free again when a controller was killed, and its socket file is no obstacle', async () => {
  const { paths, port } = await site();
  const modules = new URL('../../src/', import.meta.url);
  const first = spawn(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { listenOnControlSocket } from '${modules}controller/control-socket.ts';
     import { takeSiteLock } from '${modules}controller/site-lock.ts';
     import { sitePaths } from '${modules}slots/paths.ts';
     const paths = sitePaths(${JSON.stringify(paths.root)});
     await takeSiteLock(paths, ${port});
     const api = (_, response) => response.end(JSON.stringify({ pid: process.pid }));
     await listenOnControlSocket(paths, api, () => {});`,
  ]);
  onTestFinished(() => void first.kill('SIGKILL'));
  await until(async () => (await controllerPid(paths.controlSocket)) === first.pid, 'the first');
  await expect(takeSiteLock(paths, port)).rejects.toThrow(`with pid ${first.pid}`);
  const gone = once(first, 'exit');
  first.kill('SIGKILL');
  await gone;
  expect((await stat(paths.controlSocket)).isSocket()).toBe(true);
  closeLater(await takeSiteLock(paths, port));
  await listen(paths);
  expect(await controllerPid(paths.controlSocket)).toBe(process.pid);
});

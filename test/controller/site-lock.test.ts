import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import { dirname } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { controllerPid } from '../../src/controller/control-socket.ts';
import { takeSiteLock } from '../../src/controller/site-lock.ts';
import { closeLater, listen, siteWithPort } from '../support/control-server.ts';
import { until } from '../support/until.ts';

test('the site lock listens on the loopback address only', async () => {
  const { paths, port } = await siteWithPort();
  const admin = closeLater(await takeSiteLock(paths, port));
  expect(admin.address()).toMatchObject({ address: '127.0.0.1', port });
});

test('the site lock is refused while another controller answers, and names its pid', async () => {
  const { paths, port } = await siteWithPort();
  closeLater(await takeSiteLock(paths, port));
  await listen(paths);
  await expect(takeSiteLock(paths, port)).rejects.toMatchObject({
    code: 'CONTROLLER_RUNS',
    message: `this site's controller runs already, with pid ${process.pid}`,
  });
});

test('the site lock is refused to a second controller even when another port was configured meanwhile', async () => {
  const { paths, port } = await siteWithPort();
  await listen(paths);
  await expect(takeSiteLock(paths, port)).rejects.toMatchObject({ code: 'CONTROLLER_RUNS' });
});

test('the site lock is given to one of many controllers that come at once', async () => {
  const { paths, port } = await siteWithPort();
  const attempts = Array.from({ length: 8 }, () => takeSiteLock(paths, port));
  const results = await Promise.allSettled(attempts);
  const won = results.filter((result) => result.status === 'fulfilled');
  for (const { value } of won) closeLater(value);
  expect(won).toHaveLength(1);
});

test('the site lock names the controller that has taken it and answers only a moment later', async () => {
  const { paths, port } = await siteWithPort();
  const other = closeLater(createNetServer());
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  let asked = 0;
  const control = closeLater(
    createServer((_request, response) => {
      // At the first question it does not listen yet.
      if (++asked === 1) response.destroy();
      else response.end('{"pid":4711}');
    }),
  );
  await mkdir(dirname(paths.controlSocket), { recursive: true });
  await new Promise<void>((resolve) => control.listen(paths.controlSocket, resolve));
  await expect(takeSiteLock(paths, port)).rejects.toMatchObject({
    code: 'CONTROLLER_RUNS',
    message: expect.stringContaining('with pid 4711'),
  });
});

test('the site lock says which port is taken when another program has it', async () => {
  const { paths, port } = await siteWithPort();
  const other = closeLater(createNetServer());
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  await expect(takeSiteLock(paths, port)).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining(`ports.admin: port ${port}`),
    hint: expect.stringContaining('"ports.admin"'),
  });
});

test('the site lock is free again when a controller was killed, and its socket file is no obstacle', async () => {
  const { paths, port } = await siteWithPort();
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

import { rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createConnection } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { controllerPid } from '../../src/controller/control-socket.ts';
import { type SitePaths, sitePaths } from '../../src/slots/paths.ts';
import { closeLater, listen, siteWithPort } from '../support/control-server.ts';
import { tempSite } from '../support/temp-site.ts';

describe('the control socket', () => {
  test('is for its owner only, whatever the umask', async () => {
    const { paths } = await siteWithPort();
    const mask = process.umask(0);
    onTestFinished(() => void process.umask(mask));
    await listen(paths);
    expect((await stat(paths.controlSocket)).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(0);
  });

  test('answers requests', async () => {
    const { paths } = await siteWithPort();
    await listen(paths);
    expect(await controllerPid(paths.controlSocket)).toBe(process.pid);
  });

  test('takes the place of a file that lies there', async () => {
    const paths = await tempSite({ 'slots/control.sock': 'a file' });
    await listen(paths);
    expect(await controllerPid(paths.controlSocket)).toBe(process.pid);
  });

  test('is found where it is when the path of the site is too long for one', async () => {
    const { paths } = await siteWithPort();
    const long = sitePaths(`${paths.root}/${'long'.repeat(30)}`);
    onTestFinished(() => rm(long.controlSocket, { force: true }));
    await listen(long);
    expect(await controllerPid(long.controlSocket)).toBe(process.pid);
  });

  /** The status line that answers an upgrade. */
  async function upgrade(paths: SitePaths, fields: string): Promise<string> {
    const socket = createConnection(paths.controlSocket);
    onTestFinished(() => void socket.destroy());
    socket.write(`GET /worker HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${fields}\r\n`);
    let answer = '';
    for await (const chunk of socket) {
      answer += chunk;
      if (answer.includes('\r\n\r\n')) break;
    }
    return answer.split('\r\n')[0] ?? '';
  }

  test('upgrades a worker and learns its pid', async () => {
    const { paths } = await siteWithPort();
    const pids: number[] = [];
    await listen(paths, (pid) => pids.push(pid));
    const line = await upgrade(paths, 'Upgrade: slots-worker\r\nx-slots-pid: 4711\r\n');
    expect([line, pids]).toEqual(['HTTP/1.1 101 Switching Protocols', [4711]]);
  });

  test.each([
    ['another protocol', 'Upgrade: websocket\r\nx-slots-pid: 4711\r\n'],
    ['no pid', 'Upgrade: slots-worker\r\n'],
    ['a pid that is none', 'Upgrade: slots-worker\r\nx-slots-pid: abc\r\n'],
    [
      'pid 0, which would be every process of a group',
      'Upgrade: slots-worker\r\nx-slots-pid: 0\r\n',
    ],
    ['a pid below zero', 'Upgrade: slots-worker\r\nx-slots-pid: -5\r\n'],
  ])('refuses an upgrade with %s', async (_name, fields) => {
    const { paths } = await siteWithPort();
    await listen(paths, () => expect.unreachable('it is no worker'));
    expect(await upgrade(paths, fields)).toBe('HTTP/1.1 400 Bad Request');
  });
});

test('controllerPid is null where there is no socket, or a file, or nobody listens', async () => {
  const { paths } = await siteWithPort();
  expect(await controllerPid(paths.controlSocket)).toBeNull();
  const other = await tempSite({ 'slots/control.sock': '' });
  expect(await controllerPid(other.controlSocket)).toBeNull();
});

test.each([
  ['answers something else', 'hello'],
  ['never answers', null],
])('controllerPid is null when what listens %s', async (_name, body) => {
  const paths = await tempSite({ 'slots/.gitkeep': '' });
  const server = closeLater(createServer((_, response) => void (body && response.end(body))));
  await new Promise<void>((resolve) => server.listen(paths.controlSocket, resolve));
  expect(await controllerPid(paths.controlSocket)).toBeNull();
  server.closeAllConnections();
});

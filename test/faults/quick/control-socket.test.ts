/** Row 11: hostile input on the control socket, the admin port and the command line. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { sitePaths } from '../../../src/slots/paths.ts';
import { listenersOf } from '../../support/listeners.ts';
import { readMemory } from '../../support/memory.ts';
import { until } from '../../support/until.ts';
import { pidOf } from '../fault-site.ts';
import { expectGoodEdit, type HostileSite, hostileSite } from '../hostile-site.ts';

const run = promisify(execFile);
const MEBIBYTE = 1024 * 1024;
const NOBODY = 65_534;

let hostile: HostileSite;
let socketPath: string;
let controller: number;

beforeAll(async () => {
  hostile = await hostileSite();
  socketPath = sitePaths(hostile.site.root).controlSocket;
  controller = await pidOf(hostile.site, 'watcher');
});
afterAll(() => hostile?.dispose());

beforeEach(() => {
  onTestFinished(async () => {
    // Whatever came, it is the same controller, it answers, and it has not grown.
    expect(await pidOf(hostile.site, 'watcher')).toBe(controller);
    expect((await hostile.site.status()).slots.blue.role).not.toBe('down');
    expect(readMemory(controller).peakBytes).toBeLessThan(400 * MEBIBYTE);
  });
});

/** Sends it all, with regard to backpressure, until the other side has had enough; gives what it answered. */
async function flood(socket: Socket, head: string, chunk: Buffer, count: number): Promise<string> {
  let answer = '';
  let open = true;
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      open = false;
      resolve();
    });
  });
  socket.write(head);
  // What a refusal leaves unread ends the connection, and an answer that nobody has read by then is lost with it.
  if (head.includes('Upgrade:'))
    await Promise.race([until(() => answer !== '', 'an answer'), closed]);
  for (let sent = 0; sent < count && open; sent++) {
    if (!socket.write(chunk))
      await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
  }
  socket.end();
  await closed;
  return answer;
}

const ZEROS = Buffer.alloc(MEBIBYTE, '0');
const WORKER =
  'GET /worker HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: slots-worker\r\nx-slots-pid: 999999999\r\n\r\n';

test.each([
  ['garbage', '\0\u0001\u0002 garbage\r\n\r\n', 0, /^HTTP\/1\.1 400 /],
  ['a line of 100 MB for a request', 'GET /', 100, /^HTTP\/1\.1 431 |^$/],
  ['a field of 100 MB', 'GET / HTTP/1.1\r\nHost: x\r\nA: ', 100, /^HTTP\/1\.1 431 |^$/],
  [
    'a body of 100 MB',
    `POST /api/rollback HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${100 * MEBIBYTE}\r\n\r\n`,
    100,
    /^HTTP\/1\.1 413 .*a body of more than \d+ bytes/s,
  ],
  ['a line of 100 MB from a worker', WORKER, 100, /^HTTP\/1\.1 101 /],
  ['garbage from a worker', `${WORKER}garbage\n`, 0, /^HTTP\/1\.1 101 /],
  [
    'a message from a worker that no worker sends',
    `${WORKER}{"type":"ack","epoch":-1,"revision":{}}\n`,
    0,
    /^HTTP\/1\.1 101 /,
  ],
])('%s is refused, and the controller goes on', async (_what, head, count, answer) => {
  expect(await flood(connect(socketPath), head, ZEROS, count)).toMatch(answer);
});

test.each([
  '../../etc',
  '..',
  '/etc/passwd',
  'r20260101T000000-abcdef/../..',
  '$(touch pwned)',
  '',
])('a rollback to %j is refused by the command line and by the controller', async (release) => {
  const { site } = hostile;
  const told = await site.slots('rollback', release);
  expect(told.exitCode).toBe(2);
  expect(told.stderr).toContain('is not a release id');
  const outgoing = request({ socketPath, method: 'POST', path: '/api/rollback', agent: false });
  outgoing.end(JSON.stringify({ release }));
  const [incoming] = await once(outgoing, 'response');
  expect(incoming.statusCode).toBe(400);
  expect(JSON.parse(await text(incoming)).error.code).toBe('BAD_REQUEST');
  expect(await readdir(site.root)).not.toContain('pwned');
});

test('another user may not speak to the controller, and is told so', async () => {
  const { site } = hostile;
  await chmod(site.root, 0o755);
  const code = `require('net').connect(${JSON.stringify(socketPath)})
    .on('error', (error) => console.log(error.code)).on('connect', () => console.log('connected'))`;
  const nobody = { uid: NOBODY, gid: NOBODY };
  const { stdout } = await run(process.execPath, ['-e', code], nobody);
  expect(stdout.trim()).toBe('EACCES');
  const bin = join(import.meta.dirname, '../../../bin/slots.js');
  const args = [bin, '-C', site.root, 'rollback'];
  const told = await run(process.execPath, args, { ...nobody, env: site.env }).catch((e) => e);
  expect(told.code).toBe(3);
  expect(told.stderr).toContain('no controller answers');
});

test('the admin port tells nothing without the token, and like the slots it is on loopback only', async () => {
  const { site } = hostile;
  const { ports } = site;
  /** Not by fetch, which sets a path straight before it sends it. */
  const status = async (method: string, path: string, headers = {}) => {
    const options = { port: ports.admin, method, path, headers, agent: false };
    const outgoing = request({ host: '127.0.0.1', ...options }).end();
    const [incoming] = await once(outgoing, 'response');
    incoming.resume();
    return incoming.statusCode;
  };
  expect(await status('GET', '/api/health')).toBe(200);
  for (const path of ['/api/status', '/api/events', '/api/history', '/api/build-log']) {
    expect(await status('GET', path), path).toBe(401);
  }
  for (const path of ['/api/promote', '/api/rollback', '/api/pause', '/api/resume']) {
    expect(await status('POST', path), path).toBe(401);
  }
  for (const path of [
    '/../slots/admin-token',
    '/assets/../../slots/admin-token',
    '/slots/state.json',
  ]) {
    expect(await status('GET', path), path).toBe(404);
  }
  expect(await status('GET', '/api/status', { host: 'evil.example' })).toBe(403);
  const { mode } = await stat(join(site.root, 'slots/admin-token'));
  expect(mode & 0o777).toBe(0o600);

  for (const port of [ports.admin, ports.blue, ports.green]) {
    const addresses = await listenersOf(port);
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(['127.0.0.1', '::1']).toContain(address);
  }
});

test('a follower that does not read costs little, however much a build prints', async () => {
  const { site } = hostile;
  const followers = Array.from({ length: 20 }, () => {
    const socket = connect(socketPath);
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.pause();
    socket.write('GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n');
    return socket;
  });
  const before = readMemory(controller);
  // To remember all of it would take 600 MB.
  await site.edit('build.sh', 'yes "a line of output" | head -n 500000; exit 1');
  await until(async () => (await site.status()).last?.outcome === 'failed', 'the build', 60_000);
  expect(readMemory(controller).bytes - before.bytes).toBeLessThan(250 * MEBIBYTE);
  for (const socket of followers) socket.destroy();
  await expectGoodEdit(site, 30);
});

test('a command that is stopped while it follows a build holds nothing up', async () => {
  const { site } = hostile;
  const waiting = site.spawn('promote', '--wait');
  onTestFinished(() => void waiting.kill('SIGKILL'));
  waiting.kill('SIGSTOP');
  await expectGoodEdit(site, 31);
});

test('a flood of calls is answered, one and all', async () => {
  const { site } = hostile;
  const answers = await Promise.all(Array.from({ length: 200 }, () => site.status()));
  expect(answers).toHaveLength(200);
});

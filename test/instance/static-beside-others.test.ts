import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { createStaticServer } from '../../src/instance/static-server.ts';
import { freePorts } from '../support/free-ports.ts';
import { putFile } from '../support/temp-site.ts';
import { until } from '../support/until.ts';

/** The version that a program prints, or `null` where it is not installed. */
function versionOf(program: string, flag: string): string | null {
  try {
    return execFileSync(program, [flag], { encoding: 'utf8', stdio: 'pipe' });
  } catch {
    return null;
  }
}

const missing = ['nginx -v', 'caddy version'].filter((command) => {
  const [program = '', flag = ''] = command.split(' ');
  return versionOf(program, flag) === null;
});

const NAMES = [
  'index.html',
  'C#.html',
  'rock&roll.txt',
  'what?.txt',
  'icon@2x.png',
  '1+1.txt',
  'a,b;c=d.txt',
  "it's (1) [2] {3}!.txt",
  'über uns.html',
  'caf\u00e9.txt',
  'cafe\u0301.md',
  '🎉.txt',
  '100%.txt',
  'a%20b.txt',
  'back\\slash.txt',
  'LICENSE',
  'feed.xml',
  'data.json',
  'C# tips/index.html',
  'über/index.html',
  'a+b/index.html',
  '.well-known/acme-challenge/tok',
  'font.woff2',
  'logo.svg',
];

const encode = (name: string) => `/${name.split('/').map(encodeURIComponent).join('/')}`;

const TARGETS = [
  ...NAMES.filter((name) => !name.endsWith('index.html')).map(encode),
  ...NAMES.filter((name) => name.endsWith('/index.html')).flatMap((name) => {
    const folder = encode(name.slice(0, -'/index.html'.length));
    return [folder, `${folder}/`, `${folder}?x=1`];
  }),
  '/',
  '/?x=1',
  '/%66eed.xml',
  '/caf%C3%A9.md',
  '/cafe%CC%81.txt',
  '/nope%',
  '/%E0%A4%A',
  '/%ff',
  '/a%00.txt',
  '/%2e%2e/package.json',
  '/..%2fpackage.json',
  '/a%2Bb/..%2ffeed.xml',
  '//feed.xml',
  '/./feed.xml',
  '/feed.xml/',
  '/FEED.XML',
  '/a%2Bb%2Findex.html',
  '/deep/link',
  '/linked.txt',
  '/dangling.txt',
];

interface Answer {
  status: number;
  location: string | undefined;
  body: string;
  headers: NodeJS.Dict<string | string[]>;
}

async function ask(port: number, path: string, headers = {}, method = 'GET'): Promise<Answer> {
  const outgoing = request({ host: '127.0.0.1', port, path, headers, method, agent: false }).end();
  const [answer] = await once(outgoing, 'response');
  const body = (await buffer(answer)).toString();
  const { location } = answer.headers;
  return { status: answer.statusCode, location, body, headers: answer.headers };
}

const ports = { slots: 0, nginx: 0, caddy: 0 };

/** The same folder behind each of the three. */
async function serveBeside(): Promise<() => Promise<void>> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'beside-')));
  const root = join(folder, 'public');
  for (const name of NAMES) await putFile(root, name, `[${name}]`);
  await putFile(folder, 'elsewhere.txt', 'elsewhere');
  await symlink('../elsewhere.txt', join(root, 'linked.txt'));
  await symlink('nowhere.txt', join(root, 'dangling.txt'));
  const server = (await createStaticServer(root)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports.slots = (server.address() as AddressInfo).port;
  [ports.nginx = 0, ports.caddy = 0] = await freePorts(2);
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  await writeFile(
    join(folder, 'nginx.conf'),
    `${user}daemon off;pid ${folder}/pid;error_log /dev/null;events{}http{include /etc/nginx/mime.types;
    access_log off;${scratch.join('')}server{listen 127.0.0.1:${ports.nginx};root ${root};}}`,
  );
  const own = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const others = [
    spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', '/dev/null'], { stdio: 'ignore' }),
    spawn('caddy', ['file-server', '--root', root, '--listen', `127.0.0.1:${ports.caddy}`], {
      stdio: 'ignore',
      env: { ...process.env, ...own },
    }),
  ];
  for (const port of [ports.nginx, ports.caddy]) {
    await until(() => isOpen(port), `the port ${port} to be open`);
  }
  return async () => {
    server.close();
    for (const child of others) child.kill();
    await Promise.all(others.map((child) => child.exitCode ?? once(child, 'exit')));
    await rm(folder, { recursive: true, force: true });
  };
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('connect', () => socket.destroy());
    socket.on('error', () => resolve(false));
  });
}

const isComplete = missing.length === 0;
const besides = test.skipIf(!isComplete);

if (isComplete) beforeAll(serveBeside);
else test('nginx and Caddy are installed', ({ skip }) => skip(`not so: ${missing.join(', ')}`));

besides.each(TARGETS)('answers %s as nginx or Caddy answers the same folder', async (target) => {
  const own = await ask(ports.slots, target);
  const nginx = await ask(ports.nginx, target);
  const caddy = await ask(ports.caddy, target);
  // Caddy says 308 for what nginx says 301 to.
  const statuses = [nginx.status, caddy.status === 308 ? 301 : caddy.status];
  expect(statuses).toContain(own.status);
  if (own.status === 200) expect(own.body).toBe(nginx.status === 200 ? nginx.body : caddy.body);
  if (own.status === 200) expect(own.headers['content-type']).toBeTruthy();
  if (own.status !== 301) return;
  const path = (location: string | undefined) =>
    new URL(location ?? '', `http://127.0.0.1${target}`).pathname;
  expect(decodeURI(path(own.location))).toBe(decodeURI(path(nginx.location)));
});

besides.each([
  ['bytes=0-1'],
  ['bytes=2-'],
  ['bytes=-2'],
  ['bytes=-500'],
  ['bytes=0-500'],
  ['bytes=500-'],
  ['bytes=-0'],
  ['bytes=3-2'],
  ['lines=0-1'],
  ['bytes=x'],
])('answers the range %s as nginx or Caddy does', async (range) => {
  const path = '/feed.xml';
  const own = await ask(ports.slots, path, { range });
  const nginx = await ask(ports.nginx, path, { range });
  const caddy = await ask(ports.caddy, path, { range });
  expect([nginx.status, caddy.status]).toContain(own.status);
  const same = own.status === nginx.status ? nginx : caddy;
  expect(own.headers['content-range']).toBe(same.headers['content-range']);
  if (own.status < 300) expect(own.body).toBe(same.body);
});

besides.each([
  ['the same tag', 'if-none-match', (tag: string) => tag],
  ['a list with the tag', 'if-none-match', (tag: string) => `"other", ${tag}`],
  ['any tag', 'if-none-match', () => '*'],
  ['another tag', 'if-none-match', () => '"other"'],
  ['the weak form of the tag', 'if-none-match', (tag: string) => `W/${tag}`],
  ['the same date', 'if-modified-since', (_: string, date: string) => date],
  ['an earlier date', 'if-modified-since', () => new Date(0).toUTCString()],
  ['a later date', 'if-modified-since', () => new Date(4e12).toUTCString()],
  ['another tag that must be', 'if-match', () => '"other"'],
  ['any tag that must be', 'if-match', () => '*'],
  ['an earlier date that must be', 'if-unmodified-since', () => new Date(0).toUTCString()],
] as const)('answers the condition of %s as nginx or Caddy does', async (_, name, value) => {
  const statusOf = async (port: number) => {
    const { headers } = await ask(port, '/feed.xml');
    const condition = value(String(headers.etag), String(headers['last-modified']));
    return (await ask(port, '/feed.xml', { [name]: condition })).status;
  };
  const others = [await statusOf(ports.nginx), await statusOf(ports.caddy)];
  expect(others).toContain(await statusOf(ports.slots));
});

besides.each(['HEAD', 'POST', 'OPTIONS', 'DELETE'])(
  'answers the method %s as nginx or Caddy does',
  async (method) => {
    const { status, body } = await ask(ports.slots, '/feed.xml', {}, method);
    const nginx = await ask(ports.nginx, '/feed.xml', {}, method);
    const caddy = await ask(ports.caddy, '/feed.xml', {}, method);
    expect([nginx.status, caddy.status]).toContain(status);
    if (method === 'HEAD') expect(body).toBe('');
  },
);

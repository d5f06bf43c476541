import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createStaticServer, isHashed } from '../../src/instance/static-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { putFile } from '../support/temp-site.ts';
import { until } from '../support/until.ts';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Serving {
  folder: string;
  port: number;
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<Answer>;
}

async function serve(files: Record<string, string | Buffer>): Promise<Serving> {
  const folder = await tempFolder();
  for (const [path, content] of Object.entries(files)) {
    await putFile(folder, path, content as string);
  }
  const server = createStaticServer(folder).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { folder, port, ask: (...how) => ask(port, ...how) };
}

async function ask(port: number, path: string, headers = {}, method = 'GET'): Promise<Answer> {
  const outgoing = request({ host: '127.0.0.1', port, path, headers, method, agent: false });
  outgoing.end();
  const [answer] = await once(outgoing, 'response');
  const body = (await buffer(answer)).toString();
  return { status: answer.statusCode, headers: answer.headers, body };
}

const PAGES = {
  'index.html': '<p>home',
  'about/index.html': '<p>about',
  'plain.html': '<p>plain',
  'data.txt': '0123456789',
  'empty.txt': '',
  '.env': 'SECRET=1',
  '.git/index.html': 'hidden',
  '404.html': '<p>lost',
  '_astro/page.Bx3k.css': 'p{}',
};

test('serves pages by their folder, with or without the extension', async () => {
  const { ask } = await serve(PAGES);
  expect(await ask('/')).toMatchObject({ status: 200, body: '<p>home' });
  expect((await ask('/')).headers['content-type']).toBe('text/html;charset=utf-8');
  expect(await ask('/about/')).toMatchObject({ status: 200, body: '<p>about' });
  expect(await ask('/plain')).toMatchObject({ status: 200, body: '<p>plain' });
  expect(await ask('/plain.html?x=1')).toMatchObject({ status: 200, body: '<p>plain' });
});

test('leads to the folder of a page, so that its relative links are right', async () => {
  const { ask } = await serve({ ...PAGES, 'größe/index.html': 'x' });
  expect(await ask('/about')).toMatchObject({ status: 301, headers: { location: '/about/' } });
  expect((await ask('/about?a=1&b=?')).headers.location).toBe('/about/?a=1&b=?');
  expect((await ask('/gr%C3%B6%C3%9Fe')).headers.location).toBe('/gr%C3%B6%C3%9Fe/');
  expect(await ask('/gr%C3%B6%C3%9Fe/')).toMatchObject({ status: 200, body: 'x' });
});

test('answers 404 with the page of the site, and with a line where there is none', async () => {
  const { ask } = await serve(PAGES);
  const lost = await ask('/nowhere');
  expect(lost).toMatchObject({ status: 404, body: '<p>lost' });
  expect(lost.headers['cache-control']).toBe('no-cache');
  expect(lost.headers['content-type']).toMatch(/html/);
  expect(await ask('/nowhere', {}, 'HEAD')).toMatchObject({ status: 404, body: '' });
  const bare = await serve({ 'index.html': 'x' });
  expect(await bare.ask('/nowhere')).toMatchObject({ status: 404, body: 'Not found\n' });
});

test.each([
  '/.env',
  '/.git',
  '/.git/index.html',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/..%2f..%2fetc/passwd',
  '/%',
  '//about',
  '/__proto__',
])('has nothing at %s', async (path) => {
  const { ask } = await serve(PAGES);
  expect(await ask(path)).toMatchObject({ status: 404 });
});

test('takes GET and HEAD only', async () => {
  const { ask } = await serve(PAGES);
  const head = await ask('/data.txt', {}, 'HEAD');
  expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '10' } });
  const post = await ask('/', {}, 'POST');
  expect(post).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
});

test('answers 304 to whoever has the file, and says which', async () => {
  const { ask } = await serve(PAGES);
  const { headers } = await ask('/data.txt');
  const known = { 'if-none-match': headers.etag as string };
  const again = await ask('/data.txt', known);
  expect(again).toMatchObject({ status: 304, body: '' });
  expect(again.headers).toMatchObject({ etag: headers.etag, 'cache-control': 'no-cache' });
  expect(await ask('/', known)).toMatchObject({ status: 200 });
});

test.each([
  ['bytes=2-4', 206, '234'],
  ['bytes=7-', 206, '789'],
  ['bytes=-3', 206, '789'],
  ['bytes=-50', 206, '0123456789'],
  ['bytes=8-50', 206, '89'],
  ['bytes=9-9', 206, '9'],
  ['bytes=10-', 416, ''],
  ['bytes=-0', 416, ''],
  ['bytes=0-0', 200, '0123456789'],
  ['bytes=5-3', 200, '0123456789'],
  ['bytes=0-1,4-5', 200, '0123456789'],
  ['lines=1-2', 200, '0123456789'],
  ['bytes=-', 200, '0123456789'],
  ['bytes=x-y', 200, '0123456789'],
  ['bytes=99999999999999999999-', 200, '0123456789'],
])('answers the range %s with %i', async (range, status, body) => {
  const { ask } = await serve(PAGES);
  const answer = await ask('/data.txt', { range });
  expect(answer).toMatchObject({ status, body });
  if (status === 206) {
    const start = '0123456789'.indexOf(body);
    const end = start + body.length - 1;
    expect(answer.headers['content-range']).toBe(`bytes ${start}-${end}/10`);
  }
  expect(await ask('/data.txt')).toMatchObject({ status: 200, body: '0123456789' });
});

test('gives the whole file when the range is of another one', async () => {
  const { ask } = await serve(PAGES);
  const { headers } = await ask('/data.txt');
  const range = (condition: string) =>
    ask('/data.txt', { range: 'bytes=5-', 'if-range': condition });
  expect(await range(headers['last-modified'] as string)).toMatchObject({ status: 206 });
  expect(await range('Thu, 01 Jan 1970 00:00:00 GMT')).toMatchObject({ status: 200 });
  // A weak validator does not promise equal bytes.
  expect(await range(headers.etag as string)).toMatchObject({ status: 200 });
});

test('prefers what is compressed already', async () => {
  const { ask } = await serve({
    'app.js': 'plain',
    'app.js.br': brotliCompressSync('brotli'),
    'app.js.gz': gzipSync('gzip'),
    'index.html': 'plain',
    'index.html.gz': gzipSync('gzip'),
  });
  const encoding = async (path: string, accept: string) =>
    (await ask(path, { 'accept-encoding': accept })).headers;
  expect(await encoding('/app.js', 'gzip, br')).toMatchObject({
    'content-encoding': 'br',
    'content-type': 'text/javascript',
    vary: 'Accept-Encoding',
  });
  expect(await encoding('/app.js', 'gzip')).toMatchObject({ 'content-encoding': 'gzip' });
  expect(await encoding('/app.js', 'identity')).not.toHaveProperty('content-encoding');
  expect(await encoding('/', 'gzip, br')).toMatchObject({ 'content-encoding': 'gzip' });
});

test('lets browsers keep what has a hash in its name, and nothing else', async () => {
  const { ask } = await serve(PAGES);
  const control = async (path: string) => (await ask(path)).headers['cache-control'];
  expect(await control('/_astro/page.Bx3k.css')).toBe('public, max-age=31536000, immutable');
  expect(await control('/')).toBe('no-cache');
  expect(await control('/_astro/missing.css')).toBe('no-cache');
});

test.each([
  ['/assets/index-Bx3k9ZaQ.js', true],
  ['/main.3f2a9c1b.css', true],
  ['/_next/static/chunks/main.js', true],
  ['/_app/immutable/entry/start.js', true],
  ['/report-20240115.pdf', false],
  ['/photo-20240115.jpg', false],
  ['/assets/my-holidays.jpg', false],
  ['/assets/logo.png', false],
  ['/my-facade.css', false],
  ['/about', false],
])('%s: hashed is %s', (path, expected) => {
  expect(isHashed(path)).toBe(expected);
});

test('closes the file of a visitor who leaves', async () => {
  const { folder, port } = await serve({ 'big.bin': 'x'.repeat(20_000_000) });
  const open = async () => {
    const names = await readdir('/proc/self/fd');
    const files = await Promise.all(
      names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
    );
    return files.filter((file) => file.startsWith(folder)).length;
  };
  const outgoing = request({ host: '127.0.0.1', port, path: '/big.bin', agent: false }).end();
  const [answer] = await once(outgoing, 'response');
  answer.pause();
  await until(async () => (await open()) === 1, 'the file to be open');
  answer.destroy();
  await until(async () => (await open()) === 0, 'the file to be closed');
});

import { once } from 'node:events';
import { realpath, rm, symlink, utimes } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createStaticServer, type StaticOptions } from '../../src/instance/static-server.ts';
import { openFilesIn } from '../support/open-files.ts';
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

async function serve(
  files: Record<string, string | Buffer>,
  options: StaticOptions = {},
): Promise<Serving> {
  const folder = await tempFolder();
  for (const [path, content] of Object.entries(files)) {
    await putFile(folder, path, content as string);
  }
  const server = (await createStaticServer(await realpath(folder), options)).listen(0, '127.0.0.1');
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
  _headers: '/*\n  X-Own: 1',
  _redirects: '/old /new',
  '.git/index.html': 'hidden',
  '404.html': '<p>lost',
  '_astro/page.Bx3k.css': 'p{}',
};

test('serves pages by their folder, with or without the extension', async () => {
  const { ask } = await serve(PAGES);
  expect(await ask('/')).toMatchObject({ status: 200, body: '<p>home' });
  expect((await ask('/')).headers['content-type']).toBe('text/html; charset=utf-8');
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
  expect(await bare.ask('/nowhere')).toMatchObject({ status: 404, body: 'Not Found\n' });
});

test.each([
  '/.env',
  '/.git',
  '/.git/index.html',
  '/__proto__',
  '/%ff.txt',
  '/_headers',
  '/_redirects',
])('a static site has nothing at %s', async (path) => {
  const { ask } = await serve(PAGES);
  expect(await ask(path)).toMatchObject({ status: 404 });
});

test.each(['/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc/passwd', '/%', '/a%00.html', '*'])(
  'a static site refuses the target %s as a bad request',
  async (path) => {
    const { ask } = await serve(PAGES);
    expect(await ask(path)).toMatchObject({ status: 400 });
  },
);

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
  ['bytes=10-', 416, 'Range Not Satisfiable\n'],
  ['bytes=-0', 416, 'Range Not Satisfiable\n'],
  ['bytes=0-0', 206, '0'],
  ['bytes=5-3', 416, 'Range Not Satisfiable\n'],
  ['bytes=0-1,4-5', 200, '0123456789'],
  ['lines=1-2', 200, '0123456789'],
  ['bytes=-', 416, 'Range Not Satisfiable\n'],
  ['bytes=x-y', 416, 'Range Not Satisfiable\n'],
  ['bytes=99999999999999999999-', 416, 'Range Not Satisfiable\n'],
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
  expect(await range(headers.etag as string)).toMatchObject({ status: 206 });
  // A weak validator does not promise equal bytes.
  expect(await range(`W/${headers.etag}`)).toMatchObject({ status: 200 });
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
    'content-type': 'text/javascript; charset=utf-8',
    vary: 'Accept-Encoding',
  });
  expect(await encoding('/app.js', 'gzip')).toMatchObject({ 'content-encoding': 'gzip' });
  expect(await encoding('/app.js', 'br;q=0, gzip;q=0')).not.toHaveProperty('content-encoding');
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

test('closes the file of a visitor who leaves', async () => {
  const { folder, port } = await serve({ 'big.bin': 'x'.repeat(20_000_000) });
  const open = () => openFilesIn(folder);
  const outgoing = request({ host: '127.0.0.1', port, path: '/big.bin', agent: false }).end();
  const [answer] = await once(outgoing, 'response');
  answer.pause();
  await until(async () => (await open()) === 1, 'the file to be open');
  answer.destroy();
  await until(async () => (await open()) === 0, 'the file to be closed');
});

test('keeps the ETag of a file that a build writes anew, and changes it with the content', async () => {
  const { folder, ask } = await serve(PAGES);
  const { headers } = await ask('/data.txt');
  await utimes(join(folder, 'data.txt'), 1, 1);
  const again = await serve({ 'data.txt': '0123456789', 'other.txt': '012345678x' });
  expect((await again.ask('/data.txt')).headers.etag).toBe(headers.etag);
  expect((await again.ask('/other.txt')).headers.etag).not.toBe(headers.etag);
});

test.each([
  ['the same date', (date: string) => ({ 'if-modified-since': date }), 304],
  // After a rollback the file is older than what the visitor has.
  ['a later date', () => ({ 'if-modified-since': new Date(4e12).toUTCString() }), 200],
  ['an earlier date', () => ({ 'if-modified-since': new Date(0).toUTCString() }), 200],
  ['a list of tags', (_: string, tag: string) => ({ 'if-none-match': `"x", ${tag}, "y"` }), 304],
  ['any tag', () => ({ 'if-none-match': '*' }), 304],
  ['the weak form of the tag', (_: string, tag: string) => ({ 'if-none-match': `W/${tag}` }), 304],
  [
    'another tag and the same date',
    (date: string) => ({ 'if-none-match': '"x"', 'if-modified-since': date }),
    200,
  ],
  ['a precondition that fails', () => ({ 'if-match': '"x"' }), 412],
  ['a precondition that holds', (_: string, tag: string) => ({ 'if-match': tag }), 200],
])('answers a request with %s by its status', async (_, conditions, status) => {
  const { ask } = await serve(PAGES);
  const { headers } = await ask('/data.txt');
  const asked = conditions(headers['last-modified'] as string, headers.etag as string);
  expect(await ask('/data.txt', asked as Record<string, string>)).toMatchObject({ status });
});

test('serves names in composed and in decomposed letters as the folder has them', async () => {
  const { ask } = await serve({ 'cafe\u0301.txt': 'two', 'caf\u00e9.md': 'one' });
  expect(await ask('/cafe%CC%81.txt')).toMatchObject({ status: 200, body: 'two' });
  expect(await ask('/caf%C3%A9.md')).toMatchObject({ status: 200, body: 'one' });
});

test('takes the type of a file from its name, and has one for files without an extension', async () => {
  const { ask } = await serve({
    LICENSE: 'x',
    'feed.xml': '<a/>',
    'a.geojson': '{}',
    'a.webmanifest': '{}',
  });
  const type = async (path: string) => (await ask(path)).headers['content-type'];
  expect(await type('/LICENSE')).toBe('application/octet-stream');
  expect(await type('/feed.xml')).toBe('text/xml');
  expect(await type('/a.geojson')).toMatch(/^application\/geo\+json/);
  expect(await type('/a.webmanifest')).toMatch(/^application\/manifest\+json/);
});

test('serves what links lead to, but nothing of the guarded folder, and survives dangling links', async () => {
  const outside = await tempFolder();
  await putFile(outside, 'cat.txt', 'meow');
  await putFile(outside, 'secret/token', 'secret');
  const guarded = await realpath(join(outside, 'secret'));
  const { folder, ask } = await serve(PAGES, { guarded });
  await symlink(outside, join(folder, 'uploads'));
  await symlink('user@host.4711', join(folder, '#draft.html'));
  expect(await ask('/uploads/cat.txt')).toMatchObject({ status: 200, body: 'meow' });
  expect(await ask('/uploads/secret/token')).toMatchObject({ status: 404 });
  expect(await ask('/%23draft.html')).toMatchObject({ status: 404 });
  await putFile(outside, 'cat.txt', 'purr');
  expect(await ask('/uploads/cat.txt')).toMatchObject({ status: 200, body: 'purr' });
  await rm(join(outside, 'cat.txt'));
  expect(await ask('/uploads/cat.txt')).toMatchObject({ status: 404 });
});

test.each([
  ['a 200.html', { 'index.html': 'home', '200.html': 'app' }, {}, 'app'],
  ['a file of React Router', { 'index.html': 'h', '__spa-fallback.html': 'app' }, {}, 'app'],
  [
    'the file that was named',
    { 'index.html': 'h', 'app.html': 'app' },
    { fallback: 'app.html' },
    'app',
  ],
  ['index.html', { 'index.html': 'home' }, { fallback: 'index.html' }, 'home'],
  [
    '200.html rather than index.html',
    { 'index.html': 'home', '200.html': 'app' },
    { fallback: 'index.html' },
    'app',
  ],
])('answers unknown pages of a single-page app with %s', async (_, files, options, body) => {
  const { ask } = await serve(files as Record<string, string>, options);
  expect(await ask('/users/5')).toMatchObject({ status: 200, body });
  expect((await ask('/users/5')).headers).toMatchObject({ 'cache-control': 'no-cache' });
  expect(await ask('/assets/gone.js')).toMatchObject({ status: 404 });
});

test('applies _headers and _redirects of the folder to its files', async () => {
  const { ask } = await serve({
    ...PAGES,
    'lost.html': 'really lost',
    _headers:
      '/*\n  X-Own: 1\n/data.txt\n  Cache-Control: max-age=60\n/about/*\n  Basic-Auth: a:b\n',
    _redirects: [
      '/data.txt /plain.html 301',
      '/empty.txt /plain.html 302!',
      '/app/* / 200',
      '/shop/* /lost.html 404',
      '/old /plain',
    ].join('\n'),
  });
  const data = { 'x-own': '1', 'cache-control': 'max-age=60' };
  expect(await ask('/data.txt')).toMatchObject({ status: 200, headers: data });
  expect(await ask('/empty.txt')).toMatchObject({
    status: 302,
    headers: { location: '/plain.html' },
  });
  expect(await ask('/app/x/y')).toMatchObject({ status: 200, body: '<p>home' });
  expect(await ask('/shop/x')).toMatchObject({ status: 404, body: 'really lost' });
  expect(await ask('/old?x=1')).toMatchObject({ status: 301, headers: { location: '/plain?x=1' } });
  expect(await ask('/about/')).toMatchObject({ status: 401 });
  const authorization = `Basic ${Buffer.from('a:b').toString('base64')}`;
  expect(await ask('/about/', { authorization })).toMatchObject({ status: 200, body: '<p>about' });
});

import { createHash } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openKeptFiles } from '../../../src/proxy/skew/kept-files.ts';
import { filesFolder, indexFile, keptFile } from '../../../src/slots/assets-index.ts';
import { digestOf, putKeptFiles } from '../../support/kept-files.ts';
import { openFilesIn } from '../../support/open-files.ts';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import type { Answer } from '../../support/raw-answers.ts';
import { ask, get, head, rawClient } from '../../support/raw-http.ts';
import { releaseIdOf, tempSite } from '../../support/temp-site.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

const OLD = '/assets/page-Bx3k9ZaQ.js';
const SCRIPT = 'export const old = true;';

/** A site that answers 200 on `/` and 404 elsewhere, behind a plane that knows of these kept files. */
async function startSite(files: Record<string, string | Buffer>, options: PlaneOptions = {}) {
  const paths = await tempSite();
  await putKeptFiles(paths, files, releaseIdOf(1));
  const asked: string[] = [];
  const site = await startOrigin((request, response) => {
    asked.push(request.url as string);
    response.writeHead(request.url === '/' ? 200 : 404, {
      'content-type': 'text/html',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
      'set-cookie': 'a=b',
    });
    response.end('<p>the site itself');
  });
  const keptFiles = openKeptFiles(paths);
  const running = await startPlane({ blue: site.port, keptFiles, ...options });
  return { paths, site, asked, ...running };
}

test('a file of an earlier release is sent where the active one answers 404, with the name of the release that had it', async () => {
  const { port, asked, plane } = await startSite({ [OLD]: SCRIPT });
  const answer = await ask(port, get(OLD));
  expect(answer.status).toBe(200);
  expect(answer.body).toBe(SCRIPT);
  expect(named(answer)).toMatchObject({
    'x-slots-release': releaseIdOf(1),
    'content-type': 'text/javascript; charset=utf-8',
    'content-length': String(SCRIPT.length),
    'cache-control': 'public, max-age=31536000, immutable',
    'accept-ranges': 'bytes',
    etag: `"${digestOf(SCRIPT).slice(0, 32)}"`,
    'access-control-allow-origin': '*',
  });
  expect(named(answer)['set-cookie']).toBeUndefined();
  expect(asked).toEqual([OLD]);
  await until(() => plane.inflight.counts.blue === 0, 'the request to be counted off');
  expect(plane.audit()).toEqual([]);
});

test('what the active release has itself is its own, and a 404 of any other name too', async () => {
  const { port } = await startSite({ [OLD]: SCRIPT, '/': 'never', '/about': 'never' });
  expect(await ask(port, get('/'))).toMatchObject({ status: 200, body: '<p>the site itself' });
  for (const path of ['/about', '/assets/other-Bx3k9ZaQ.js', `${OLD}/`, `/x/..${OLD}`, `/${OLD}`]) {
    expect(await ask(port, get(path)), path).toMatchObject({
      status: 404,
      body: '<p>the site itself',
    });
  }
});

test.each([200, 403, 410, 500])(
  'an answer with %i is passed on, under the name of a kept file too',
  async (status) => {
    const paths = await tempSite();
    await putKeptFiles(paths, { [OLD]: SCRIPT });
    const site = await startOrigin((_request, response) => {
      response.writeHead(status).end('its own');
    });
    const { port } = await startPlane({ blue: site.port, keptFiles: openKeptFiles(paths) });
    expect(await ask(port, get(OLD))).toMatchObject({ status, body: 'its own' });
  },
);

test('a query and percent-encoding lead to the same kept file', async () => {
  const { port } = await startSite({ '/_next/static/chunks/[slug]/page.js': SCRIPT });
  const answer = await ask(port, get('/_next/static/chunks/%5Bslug%5D/page.js?dpl=1'));
  expect(answer).toMatchObject({ status: 200, body: SCRIPT });
});

test('the release is not named where the config says so', async () => {
  const { port } = await startSite({ [OLD]: SCRIPT }, { proxy: { exposeRelease: false } });
  const answer = await ask(port, get(OLD));
  expect(answer.status).toBe(200);
  expect(named(answer)['x-slots-release']).toBeUndefined();
});

test('HEAD gets the head of a kept file, and a range means nothing to it', async () => {
  const { port } = await startSite({ [OLD]: SCRIPT });
  const answer = await ask(port, head(`HEAD ${OLD}`, 'Host: a', 'Range: bytes=0-3'));
  expect(answer).toMatchObject({ status: 200, body: '' });
  expect(named(answer)['content-length']).toBe(String(SCRIPT.length));
});

test('conditions and ranges of a kept file are answered by its tag', async () => {
  const { port } = await startSite({ [OLD]: SCRIPT });
  const tag = `"${digestOf(SCRIPT).slice(0, 32)}"`;
  const same = await ask(port, get(OLD, `If-None-Match: ${tag}`));
  expect(same).toMatchObject({ status: 304, body: '' });
  expect(named(same).etag).toBe(tag);
  expect(await ask(port, get(OLD, 'If-None-Match: "other"'))).toMatchObject({ status: 200 });
  const part = await ask(port, get(OLD, 'Range: bytes=7-11', `If-Range: ${tag}`));
  expect(part).toMatchObject({ status: 206, body: SCRIPT.slice(7, 12) });
  expect(named(part)['content-range']).toBe(`bytes 7-11/${SCRIPT.length}`);
  const beyond = await ask(port, get(OLD, 'Range: bytes=1000-'));
  expect(beyond).toMatchObject({ status: 416, body: '' });
  expect(named(beyond)['content-range']).toBe(`bytes */${SCRIPT.length}`);
});

test('a POST, a GET with a body and a request for a service worker get the 404 of the site', async () => {
  const { port } = await startSite({ [OLD]: SCRIPT });
  for (const bytes of [
    `${head(`POST ${OLD}`, 'Host: a', 'Content-Length: 1')}x`,
    `${head(`GET ${OLD}`, 'Host: a', 'Content-Length: 1')}x`,
    get(OLD, 'Service-Worker: script'),
  ]) {
    expect(await ask(port, bytes)).toMatchObject({ status: 404, body: '<p>the site itself' });
  }
});

test('files that the controller has kept since then are found at once, and those that it has let go are not', async () => {
  const { port, paths } = await startSite({});
  expect((await ask(port, get(OLD))).status).toBe(404);
  await putKeptFiles(paths, { [OLD]: SCRIPT });
  expect((await ask(port, get(OLD))).status).toBe(200);
  await putKeptFiles(paths, {});
  expect((await ask(port, get(OLD))).status).toBe(404);
});

test('a file that was changed in its place is not sent, whatever its length', async () => {
  const { port, paths } = await startSite({ [OLD]: SCRIPT });
  await writeFile(keptFile(paths, digestOf(SCRIPT)), SCRIPT.replace('true', 'evil'));
  expect((await ask(port, get(OLD))).status).toBe(404);
});

test('a broken index and a file that was cut short are as good as none', async () => {
  const { port, paths } = await startSite({ [OLD]: SCRIPT });
  await truncate(keptFile(paths, digestOf(SCRIPT)), 3);
  expect((await ask(port, get(OLD))).status).toBe(404);
  await putKeptFiles(paths, { [OLD]: SCRIPT });
  expect((await ask(port, get(OLD))).status).toBe(200);
  await writeFile(indexFile(paths), '{"kind":"slots-assets"');
  expect((await ask(port, get(OLD))).status).toBe(404);
});

test('a large file comes whole to a slow reader, which holds no place of the slot meanwhile, and is closed after it', async () => {
  const large = Buffer.alloc(8 * 1024 * 1024, 'large ');
  const path = '/media/film.3f2a9c1b.mp4';
  const { port, plane, paths } = await startSite({ [path]: large });
  const client = await rawClient(port);
  client.socket.pause();
  let received = 0;
  const hash = createHash('sha256');
  client.socket.on('data', (bytes) => {
    // What comes after the head is the file.
    const from = received === 0 ? bytes.indexOf('\r\n\r\n') + 4 : 0;
    hash.update(bytes.subarray(from));
    received += bytes.length;
  });
  client.socket.pause();
  client.send(get(path, 'Connection: close'));
  await until(async () => (await openFilesIn(filesFolder(paths))) > 0, 'the file to be open');
  expect(plane.places()).toEqual({ blue: 0, green: 0 });
  client.socket.resume();
  await client.untilGone();
  expect(hash.digest('hex')).toBe(digestOf(large));
  await until(async () => (await openFilesIn(filesFolder(paths))) === 0, 'the file to be closed');
});

test('a visitor who leaves in the middle of a kept file leaves nothing open', async () => {
  const large = Buffer.alloc(8 * 1024 * 1024, 'large ');
  const path = '/media/film.3f2a9c1b.mp4';
  const { port, plane, paths } = await startSite({ [path]: large });
  const client = await rawClient(port);
  client.socket.pause();
  client.send(get(path));
  await until(async () => (await openFilesIn(filesFolder(paths))) > 0, 'the file to be open');
  client.socket.destroy();
  await until(() => plane.inflight.counts.blue === 0, 'the request to be counted off');
  await until(async () => (await openFilesIn(filesFolder(paths))) === 0, 'the file to be closed');
});

/** Fields by their names in lower case. */
function named({ fields }: Answer): Record<string, string> {
  return Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
}

test('a large kept file comes whole over HTTP/2, and its head alone for HEAD', async () => {
  const large = Buffer.alloc(3 * 1024 * 1024, 'large ');
  const path = '/media/film.3f2a9c1b.mp4';
  const tls = await makeCertificate();
  const { port, plane } = await startSite({ [path]: large }, { proxy: { tls } });
  const session = await http2Session(port);
  const answer = await http2Get(session, path);
  expect(answer).toMatchObject({ status: 200, resetBy: 0 });
  expect(answer.headers).toMatchObject({
    'x-slots-release': releaseIdOf(1),
    'content-type': 'video/mp4',
  });
  expect(digestOf(answer.body)).toBe(digestOf(large));
  const only = await http2Get(session, path, { ':method': 'HEAD' });
  expect(only).toMatchObject({ status: 200, resetBy: 0 });
  expect(only.headers['content-length']).toBe(String(large.length));
  expect(only.body).toHaveLength(0);
  await until(() => plane.inflight.counts.blue === 0, 'the requests to be counted off');
});

test('a kept file is none of the active release, whose memory takes nothing of it', async () => {
  const { port, asked, plane } = await startSite({ [OLD]: SCRIPT }, { cache: {} });
  const tag = `"${digestOf(SCRIPT).slice(0, 32)}"`;
  for (const fields of [[], [`If-None-Match: ${tag}`], ['Range: bytes=0-5'], []]) {
    const answer = await ask(port, get(OLD, ...fields));
    const isCondition = fields[0]?.startsWith('If');
    expect(answer.status).toBe(isCondition ? 304 : fields.length > 0 ? 206 : 200);
    expect(named(answer)).toMatchObject({ 'x-slots-release': releaseIdOf(1), etag: tag });
  }
  expect(asked).toHaveLength(4);
  expect(plane.cache?.counts).toMatchObject({ entries: 0, hit: 0 });
  await until(() => plane.inflight.counts.blue === 0, 'the requests to be counted off');
  expect(plane.audit()).toEqual([]);
});

test('many who ask for one kept file at a time all get it', async () => {
  const { port } = await startSite({ [OLD]: SCRIPT }, { cache: {} });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(port, get(OLD))));
  for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: SCRIPT });
});

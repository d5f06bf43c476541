import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { ask, get } from '../../support/raw-http.ts';
import { until } from '../../support/until.ts';

const PAGE = `<!doctype html>${'<p>A paragraph of a page.</p>\n'.repeat(200)}`;

async function start(fields: Record<string, string> = {}, options: PlaneOptions = {}) {
  const asked: string[] = [];
  const handler: RequestListener = (request, response) => {
    asked.push(request.headers['accept-encoding'] ?? 'none');
    const head = { 'Content-Type': 'text/html', 'Cache-Control': 's-maxage=600', ...fields };
    response.writeHead(200, { ETag: '"one"', 'Content-Length': PAGE.length, ...head });
    response.end(PAGE);
  };
  const site = await startOrigin(handler);
  const running = await startPlane({ blue: site.port, green: site.port, cache: {}, ...options });
  return { ...running, asked };
}

async function fetchRaw(port: number, headers: Record<string, string> = {}, method = 'GET') {
  const request = httpRequest({ port, host: '127.0.0.1', headers, method, agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return {
    status: response.statusCode,
    headers: response.headers,
    bytes: Buffer.concat(pieces),
  };
}

/** The visitor's hits until one of them is compressed. */
async function whenMade(port: number, coding: string) {
  await fetchRaw(port);
  return until(async () => {
    const got = await fetchRaw(port, { 'accept-encoding': coding });
    return got.headers['content-encoding'] === coding && got;
  }, `${coding} from memory`);
}

const DECODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  zstd: (bytes) => zlib.zstdDecompressSync(bytes),
};

test.each(['gzip', 'br', 'zstd'])('a stored page comes from memory in %s', async (coding) => {
  const { port, asked } = await start({ 'Accept-Ranges': 'bytes' });
  const { headers, bytes } = await whenMade(port, coding);
  expect(headers).toMatchObject({
    etag: 'W/"one"',
    vary: 'Accept-Encoding',
    'content-length': String(bytes.length),
  });
  expect(headers['accept-ranges']).toBeUndefined();
  expect(headers['cache-status']).toMatch(/^slots; hit/);
  expect(DECODERS[coding]?.(bytes).toString()).toBe(PAGE);
  const plain = await fetchRaw(port);
  expect(plain.headers).toMatchObject({
    etag: '"one"',
    vary: 'Accept-Encoding',
    'accept-ranges': 'bytes',
  });
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.bytes.toString()).toBe(PAGE);
  expect(asked).toHaveLength(1);
});

test('of codings that a visitor likes equally a stored page has brotli', async () => {
  const { port } = await start();
  const asked = { 'accept-encoding': 'gzip, deflate, br, zstd' };
  await until(async () => {
    const { headers } = await fetchRaw(port, asked);
    return headers['content-encoding'] === 'br';
  }, 'brotli from memory');
});

test('a known head gets the coding that it asks for, each its own', async () => {
  const { port, plane } = await start();
  await ask(port, get('/'));
  const heads = ['gzip', 'br'].map((coding) => get('/', `Accept-Encoding: ${coding}`));
  for (const text of heads) {
    await until(
      async () => /content-encoding/i.test(JSON.stringify((await ask(port, text)).fields)),
      'a coding',
    );
  }
  const before = plane.cache?.counts.hit as number;
  for (let i = 0; i < 3; i++) {
    const [inGzip, inBr] = await Promise.all(heads.map((text) => ask(port, text)));
    const plain = await ask(port, get('/'));
    const decode = (coding: string, body = '') =>
      DECODERS[coding]?.(Buffer.from(body, 'latin1')).toString();
    expect(decode('gzip', inGzip?.body)).toBe(PAGE);
    expect(decode('br', inBr?.body)).toBe(PAGE);
    expect(plain.body).toBe(PAGE);
  }
  expect(plane.cache?.counts.hit).toBe(before + 9);
});

test('parts are of the page as the site gave it, whatever the visitor takes', async () => {
  const { port } = await start();
  await whenMade(port, 'br');
  const part = await fetchRaw(port, { 'accept-encoding': 'br', range: 'bytes=0-14' });
  expect(part.status).toBe(206);
  expect(part.headers).toMatchObject({
    'content-range': `bytes 0-14/${PAGE.length}`,
    etag: '"one"',
    vary: 'Accept-Encoding',
  });
  expect(part.headers['content-encoding']).toBeUndefined();
  expect(part.bytes.toString()).toBe('<!doctype html>');
  const none = { 'accept-encoding': 'br', range: `bytes=${PAGE.length}-` };
  expect((await fetchRaw(port, none)).status).toBe(416);
});

test('the weakened tag is answered 304 from memory, with itself', async () => {
  const { port } = await start();
  await whenMade(port, 'br');
  for (const fields of [{ 'accept-encoding': 'br' }, { 'accept-encoding': 'zstd' }]) {
    const got = await fetchRaw(port, { ...fields, 'if-none-match': 'W/"one"' });
    expect([got.status, got.headers.etag, got.bytes.length]).toEqual([304, 'W/"one"', 0]);
    expect(got.headers.vary).toBe('Accept-Encoding');
    expect(got.headers['content-encoding']).toBeUndefined();
  }
});

test('HEAD of a stored page has the fields of GET', async () => {
  const { port } = await start();
  const { headers } = await whenMade(port, 'gzip');
  const head = await fetchRaw(port, { 'accept-encoding': 'gzip' }, 'HEAD');
  for (const name of ['content-encoding', 'vary', 'etag', 'content-length']) {
    expect(head.headers[name], name).toBe(headers[name]);
  }
});

test('what is made of a stored page counts as memory of the cache', async () => {
  const { port, plane } = await start();
  await fetchRaw(port);
  const before = plane.cache?.counts.bytes as number;
  const { bytes } = await whenMade(port, 'gzip');
  expect(plane.cache?.counts.bytes).toBeGreaterThanOrEqual(before + bytes.length);
  expect(plane.cache?.counts.entries).toBe(1);
});

test('an answer that stays is made at the highest level in the end', async () => {
  const { port } = await start();
  await whenMade(port, 'br');
  const best = zlib.brotliCompressSync(PAGE, {
    params: { [zlib.constants.BROTLI_PARAM_MODE]: zlib.constants.BROTLI_MODE_TEXT },
  });
  await until(async () => {
    const { bytes } = await fetchRaw(port, { 'accept-encoding': 'br' });
    return bytes.length <= best.length;
  }, 'the highest level');
});

test('with `compress: false` stored pages leave as they are', async () => {
  const { port } = await start({}, { proxy: { compress: false } });
  for (let i = 0; i < 3; i++) {
    const { headers, bytes } = await fetchRaw(port, { 'accept-encoding': 'gzip' });
    expect(headers.vary).toBeUndefined();
    expect(bytes.toString()).toBe(PAGE);
  }
});

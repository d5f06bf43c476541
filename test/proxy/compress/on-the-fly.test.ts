import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { type PlaneOptions, startOrigin, startPlane } from '../../support/plane.ts';
import { http2Get, http2Session, makeCertificate } from '../../support/tls.ts';
import { until } from '../../support/until.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function start(handler: Handler, options: PlaneOptions = {}) {
  const site = await startOrigin(handler);
  return { ...(await startPlane({ blue: site.port, green: site.port, ...options })), site };
}

interface Got {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

/** What comes over the wire: nothing is decoded. */
async function fetchRaw(
  port: number,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Got> {
  const request = httpRequest({ port, host: '127.0.0.1', path: '/page', headers, method });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  const { statusCode = 0, headers: fields } = response;
  return { status: statusCode, headers: fields, bytes: Buffer.concat(pieces) };
}

const PAGE = `<!doctype html>${'<p>A paragraph of a page.</p>\n'.repeat(200)}`;

const page =
  (fields: Record<string, string> = {}, body: string = PAGE, status = 200): Handler =>
  (_request, response) => {
    response.writeHead(status, {
      'Content-Type': 'text/html',
      'Content-Length': Buffer.byteLength(body),
      ...fields,
    });
    response.end(body);
  };

const DECODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  zstd: (bytes) => zlib.zstdDecompressSync(bytes),
};

test.each(['gzip', 'br', 'zstd'])('a page leaves in %s for who asks for it', async (coding) => {
  const { port } = await start(page({ ETag: '"one"', 'Accept-Ranges': 'bytes', Vary: 'Cookie' }));
  const { status, headers, bytes } = await fetchRaw(port, { 'accept-encoding': coding });
  expect(status).toBe(200);
  expect(headers['content-encoding']).toBe(coding);
  expect(headers.vary).toBe('Cookie, Accept-Encoding');
  expect(headers.etag).toBe('W/"one"');
  expect(headers['content-length']).toBeUndefined();
  expect(headers['accept-ranges']).toBeUndefined();
  expect(bytes.length).toBeLessThan(PAGE.length / 4);
  expect(DECODERS[coding]?.(bytes).toString()).toBe(PAGE);
});

test('who takes no coding gets the page as the site gave it, and a Vary', async () => {
  const { port } = await start(page({ ETag: '"one"' }));
  const { headers, bytes } = await fetchRaw(port);
  expect(headers).toMatchObject({
    vary: 'Accept-Encoding',
    etag: '"one"',
    'content-length': String(PAGE.length),
  });
  expect(headers['content-encoding']).toBeUndefined();
  expect(bytes.toString()).toBe(PAGE);
});

test('HEAD gets the fields of GET', async () => {
  const { port } = await start((request, response) => {
    page({ ETag: '"one"' })(request, response);
  });
  const wanted = { 'accept-encoding': 'gzip' };
  const ofGet = await fetchRaw(port, wanted);
  const ofHead = await fetchRaw(port, wanted, 'HEAD');
  expect(ofHead.bytes).toHaveLength(0);
  for (const name of ['content-encoding', 'vary', 'etag', 'content-length', 'content-type']) {
    expect(ofHead.headers[name], name).toBe(ofGet.headers[name]);
  }
});

test.each<[string, Handler]>([
  ['a small page', page({}, 'x'.repeat(1023))],
  ['what the site has encoded', page({ 'Content-Encoding': 'gzip' }, 'x'.repeat(2000))],
  ['what says no-transform', page({ 'Cache-Control': 'no-transform' })],
  ['an image', page({ 'Content-Type': 'image/png' })],
  ['a part of a page', page({ 'Content-Range': 'bytes 0-99/200' }, PAGE, 206)],
])('%s goes out byte for byte, and says nothing of codings', async (_what, handler) => {
  const { port } = await start(handler);
  const plain = await fetchRaw(port);
  const asked = await fetchRaw(port, { 'accept-encoding': 'gzip, br, zstd' });
  expect(asked.bytes.equals(plain.bytes)).toBe(true);
  expect(asked.headers.vary).toBeUndefined();
  expect(asked.headers['content-encoding']).toBe(plain.headers['content-encoding']);
  expect(asked.headers['content-length']).toBe(plain.headers['content-length']);
});

test('with `compress: false` pages leave as they are', async () => {
  const { port } = await start(page(), { proxy: { compress: false } });
  const { headers, bytes } = await fetchRaw(port, { 'accept-encoding': 'gzip' });
  expect(headers.vary).toBeUndefined();
  expect(bytes.toString()).toBe(PAGE);
});

test.each(['gzip', 'br', 'zstd'])(
  'the first piece of a streamed page in %s is there before the second is written',
  async (coding) => {
    let site: ServerResponse | undefined;
    const { port } = await start((_request, response) => {
      site = response;
      response.writeHead(200, { 'Content-Type': 'text/html' });
      response.write('<p>first</p>');
    });
    const request = httpRequest({ port, headers: { 'accept-encoding': coding } });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    expect(response.headers['content-encoding']).toBe(coding);
    const decoder = { gzip: zlib.createGunzip, br: zlib.createBrotliDecompress }[coding as 'gzip'];
    const decoded = response.pipe((decoder ?? zlib.createZstdDecompress)());
    let text = '';
    decoded.on('data', (piece: Buffer) => {
      text += piece;
    });
    await until(() => text === '<p>first</p>', 'the first piece');
    site?.write('<p>second</p>');
    await until(() => text.endsWith('<p>second</p>'), 'the second piece');
    site?.end('<p>last</p>');
    await once(decoded, 'end');
    expect(text).toBe('<p>first</p><p>second</p><p>last</p>');
  },
);

test('an event stream goes out as it comes', async () => {
  const { port } = await start((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data: one\n\n');
  });
  const request = httpRequest({ port, headers: { 'accept-encoding': 'gzip' } });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const [piece] = (await once(response, 'data')) as [Buffer];
  expect(response.headers['content-encoding']).toBeUndefined();
  expect(response.headers.vary).toBeUndefined();
  expect(piece.toString()).toBe('data: one\n\n');
  request.destroy();
});

test('a visitor who reads slowly slows down the site, and gets all of it', async () => {
  const piece = randomBytes(65_536);
  // Twice of what Linux keeps in the buffers of two connections.
  const pieces = 512;
  let written = 0;
  const { port, plane } = await start((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    const body = Readable.from(
      (function* () {
        for (; written < pieces; written++) yield piece;
      })(),
    );
    body.pipe(response);
  });
  const request = httpRequest({ port, headers: { 'accept-encoding': 'gzip' } });
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.pause();
  let seen = 0;
  let still = 0;
  await until(() => {
    still = written === seen && written > 0 ? still + 1 : 0;
    seen = written;
    return still > 20;
  }, 'the site to stand still');
  expect(seen).toBeLessThan(pieces);
  let length = 0;
  for await (const bytes of response.pipe(zlib.createGunzip())) length += (bytes as Buffer).length;
  expect(length).toBe(pieces * piece.length);
  await until(() => plane.compression?.open() === 0, 'the compressor to be done');
});

test('a visitor who leaves ends the compression and the request to the site', async () => {
  let isGone = false;
  const { port, plane } = await start((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.write(PAGE);
    response.on('close', () => {
      isGone = true;
    });
  });
  const request = httpRequest({ port, headers: { 'accept-encoding': 'br' } });
  request.on('error', () => {});
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  await once(response, 'data');
  expect(plane.compression?.open()).toBe(1);
  request.destroy();
  await until(() => isGone && plane.compression?.open() === 0, 'both to be over');
});

test('a page that the site breaks off does not look complete', async () => {
  const { port, plane } = await start((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.write(PAGE);
    setImmediate(() => response.destroy());
  });
  await expect(fetchRaw(port, { 'accept-encoding': 'gzip' })).rejects.toThrow(/aborted/);
  await until(() => plane.compression?.open() === 0, 'the compressor to be done');
});

const compare =
  (isSame: (asked: string) => boolean): Handler =>
  (request, response) => {
    if (!isSame(request.headers['if-none-match'] ?? '')) {
      page({ ETag: '"one"' })(request, response);
      return;
    }
    response.writeHead(304, { ETag: '"one"' });
    response.end();
  };

test.each<[string, Handler]>([
  ['weakly', compare((asked) => asked.replace('W/', '') === '"one"')],
  ['strongly', compare((asked) => asked === '"one"')],
])(
  'what a visitor has compressed is not sent again by a site that compares tags %s',
  async (_how, handler) => {
    const { port } = await start(handler);
    const first = await fetchRaw(port, { 'accept-encoding': 'gzip' });
    const etag = first.headers.etag as string;
    const asked = { 'accept-encoding': 'gzip', 'if-none-match': etag };
    for (const method of ['GET', 'HEAD', 'GET']) {
      const second = await fetchRaw(port, asked, method);
      expect([second.status, second.headers.etag, second.bytes.length]).toEqual([304, etag, 0]);
      expect(second.headers.vary).toBe('Accept-Encoding');
      expect(second.headers['content-encoding']).toBeUndefined();
    }
    const other = await fetchRaw(port, { ...asked, 'if-none-match': 'W/"two"' });
    expect(other.status).toBe(200);
  },
);

test('over HTTP/2 a page leaves compressed as well', async () => {
  const tls = await makeCertificate();
  const { port } = await start(page({ ETag: '"one"' }), { proxy: { tls } });
  const session = await http2Session(port);
  const { headers, body } = await http2Get(session, '/page', { 'accept-encoding': 'br' });
  expect(headers['content-encoding']).toBe('br');
  expect(zlib.brotliDecompressSync(body).toString()).toBe(PAGE);
});

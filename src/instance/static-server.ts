import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';
import { fixRange } from './static-range.ts';

const YEAR_S = 31_536_000;

/** A folder in which every file has a hash in its name, by the framework that writes it. */
const HASHED_FOLDER = /\/(_astro|_next\/static|_app\/immutable|_nuxt)\//;

/** `name.3f2a9c1b.css`, and `name-Bx3k9ZaQ.js` as Vite puts into `assets`. A date has no letters. */
const HEX_HASH = /[.-](?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}\.\w+$/;
const VITE_ASSET = /\/assets\/[^/]*-(?=[\w-]*[\dA-Z_])[\w-]{8}\.\w+$/;

/** What browsers may keep for ever: a file whose name changes when its content does. */
export function isHashed(path: string): boolean {
  return HASHED_FOLDER.test(path) || HEX_HASH.test(path) || VITE_ASSET.test(path);
}

/**
 * Serves the files of a release, which never change while it does: sirv reads the list of them once. What is not
 * there is answered 404 with the site's own 404.html, if it has one.
 */
export function createStaticServer(folder: string): Server {
  const folders = foldersWithIndex(folder);
  const notFound = notFoundPage(folder);
  const serve = sirv(folder, {
    etag: true,
    brotli: true,
    gzip: true,
    onNoMatch: (request, response) => answerNotFound(request, response, notFound),
    // The last call before the file is sent, and the first that knows its size.
    setHeaders: (response, _path, stats) => fixRange(response.req, stats),
  });
  return createServer((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', 'content-length': 0 }).end();
      return;
    }
    const [path = '/', query] = (request.url ?? '/').split(/\?(.*)/s);
    const folderPath = folders.get(path);
    if (folderPath !== undefined) {
      const location = query === undefined ? folderPath : `${folderPath}?${query}`;
      response.writeHead(301, { location, 'content-length': 0 }).end();
      return;
    }
    response.setHeader(
      'Cache-Control',
      isHashed(path) ? `public, max-age=${YEAR_S}, immutable` : 'no-cache',
    );
    mendSirv(request, response);
    serve(request, response);
  });
}

/** `/about` → `/about/` for each folder with a page: relative links in it would lead elsewhere without the slash. */
function foldersWithIndex(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const parent = /^(.+)[\\/]index\.html$/.exec(name)?.[1]?.replaceAll('\\', '/');
    // sirv does not serve what is hidden, so nothing may tell that it is there.
    if (parent === undefined || /(^|\/)\.(?!well-known)/.test(parent)) continue;
    if (existsSync(join(folder, `${parent}.html`))) continue;
    const path = encodeURI(`/${parent}`);
    found.set(path, `${path}/`);
  }
  return found;
}

function notFoundPage(folder: string): Buffer | null {
  const file = join(folder, '404.html');
  return existsSync(file) ? readFileSync(file) : null;
}

function answerNotFound(
  { method }: IncomingMessage,
  response: ServerResponse,
  page: Buffer | null,
): void {
  const body = page ?? Buffer.from('Not found\n');
  response.writeHead(404, {
    'content-type': page ? 'text/html;charset=utf-8' : 'text/plain;charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-cache',
  });
  response.end(method === 'HEAD' ? undefined : body);
}

/**
 * sirv pipes a file without looking after it: a visitor who leaves would leave the file open for ever, an
 * error while reading would end the process, and HEAD would read the whole file. Its 304 says nothing of the
 * file that it is about.
 */
function mendSirv(request: IncomingMessage, response: ServerResponse): void {
  response.on('pipe', (file) => {
    const stream = file as unknown as NodeJS.ReadableStream & { destroy(): void };
    stream.on('error', () => response.destroy());
    response.on('close', () => stream.destroy());
    if (request.method !== 'HEAD') return;
    stream.destroy();
    response.end();
  });
  const { writeHead } = response;
  response.writeHead = (status: number, ...rest: never[]) => {
    const known = request.headers['if-none-match'];
    if (status === 304 && known) {
      response.setHeader('ETag', known);
      response.setHeader('Vary', 'Accept-Encoding');
    }
    return writeHead.call(response, status, ...rest);
  };
}

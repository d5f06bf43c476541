import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page's own files and its own API, nothing else. Trusted types make the browser refuse what would
 * parse a text as HTML or as a script, whatever a file name or a build's output has in it.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

interface Asset {
  body: Buffer;
  headers: Record<string, string | number>;
  etag: string;
}

let assets: Map<string, Asset> | undefined;

/**
 * Answers a request for the dashboard: `GET /` and `GET /assets/…`. Its files hold no secret, so they need
 * no token; all that they show comes from the API, which does.
 *
 * @returns whether the request was for it, and is answered
 */
export function serveDashboard(request: IncomingMessage, response: ServerResponse): boolean {
  const path = request.url?.split('?')[0] ?? '';
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  if (path !== '/' && !path.startsWith('/assets/')) return false;
  assets ??= readAssets(new URL('../../dashboard/', import.meta.url));
  const asset = assets.get(path);
  if (!asset) {
    response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('nothing here\n');
  } else if (request.headers['if-none-match'] === asset.etag) {
    response.writeHead(304, asset.headers).end();
  } else {
    response.writeHead(200, { ...asset.headers, 'content-length': asset.body.length });
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  }
  return true;
}

/** All of them at once: there are few, and a path that is not among them leads nowhere. */
function readAssets(folder: URL): Map<string, Asset> {
  const files = readdirSync(folder).filter((name) => extname(name) in TYPES);
  return new Map(
    files.map((name) => {
      const path = name === 'index.html' ? '/' : `/assets/${name}`;
      return [path, toAsset(name, readFileSync(new URL(name, folder)))];
    }),
  );
}

function toAsset(name: string, body: Buffer): Asset {
  const isPage = extname(name) === '.html';
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'content-type': TYPES[extname(name)] as string,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    // An asset is asked for anew each time, so that a page never mixes the files of two versions.
    'cache-control': isPage ? 'no-store' : 'no-cache',
    ...(isPage ? {} : { etag }),
  };
  return { body, headers, etag: isPage ? '' : etag };
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

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
 * The dashboard at `GET /` and `GET /assets/…`. Its files hold no secret, so they need no token; all that they show
 * comes from the API, which does.
 */
export function serveDashboard(app: FastifyInstance): void {
  for (const url of ['/', '/assets/*']) {
    const config = { needs: 'nothing' as const };
    app.route({ method: 'GET', url, exposeHeadRoute: true, config, handler: sendAsset });
  }
}

async function sendAsset(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  assets ??= readAssets(new URL('../../../dist/dashboard/', import.meta.url));
  const asset = assets.get(request.url.split('?')[0] as string);
  if (!asset) return reply.code(404).type('text/plain; charset=utf-8').send('nothing here\n');
  reply.headers(asset.headers);
  const isKnown = asset.etag !== '' && request.headers['if-none-match'] === asset.etag;
  return isKnown ? reply.code(304).send() : reply.send(asset.body);
}

/**
 * Reads what scripts/bundle-dashboard.mjs made, all of it at once: there are few files, and a path that is
 * not among them leads nowhere.
 */
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

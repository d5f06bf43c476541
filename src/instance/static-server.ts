import type { Server } from 'node:http';
import { isHashed } from '../slots/hashed.ts';
import { http } from './node-http.ts';
import { type StaticFiles, staticFiles, type Variants } from './static-files.ts';
import type { Redirect } from './static-redirect.ts';
import { type Rules, readRules } from './static-rules.ts';
import { type Exchange, sendFile, sendPage, sendStatus } from './static-send.ts';
import { encodePath, readTarget } from './static-target.ts';

const YEAR_S = 31_536_000;

/** Pages with which single-page apps answer unknown paths: SvelteKit's and Surge's name, and React Router's. */
const FALLBACKS = ['/200.html', '/__spa-fallback.html'];

export interface StaticOptions {
  /** The page for every path without a file of its own, relative to the folder; for single-page apps. */
  fallback?: string | undefined;
  /** A folder of which nothing is served, whatever links lead there. */
  guarded?: string | undefined;
}

const INDEX = 'index.html';

interface Site {
  files: StaticFiles;
  rules: Rules;
  fallback: string | null;
}

/**
 * Serves the files of a release as nginx and Caddy serve the same folder, with clean URLs, `404.html`, a fallback for
 * single-page apps, and Netlify's `_headers` and `_redirects`.
 *
 * @param folder a real path
 */
export async function createStaticServer(
  folder: string,
  options: StaticOptions = {},
): Promise<Server> {
  const files = staticFiles(folder, options.guarded ?? null);
  const site = {
    files,
    rules: await readRules(folder, (message) => console.error(message)),
    fallback: await findFallback(files, options.fallback),
  };
  return http.createServer((request, response) => {
    answer(site, { request, response }).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
}

/** The site's own choice comes first; `index.html` is none, since a page for this purpose is the better one. */
async function findFallback(files: StaticFiles, own: string | undefined): Promise<string | null> {
  const wanted = own === undefined ? [] : [`/${own}`];
  const order = own === INDEX ? [...FALLBACKS, ...wanted] : [...wanted, ...FALLBACKS];
  for (const path of order) if (await files.find(path)) return path;
  return null;
}

async function answer(site: Site, exchange: Exchange): Promise<void> {
  const { method, url = '/', headers } = exchange.request;
  if (method !== 'GET' && method !== 'HEAD') {
    return sendStatus(exchange, 405, { Allow: 'GET, HEAD' });
  }
  const target = readTarget(url);
  if (target === 400) return sendStatus(exchange, 400);
  if (target === 404) return answerMissing(site, exchange);
  const { path } = target;
  if (!site.rules.isAllowed(path, headers.authorization)) {
    return sendStatus(exchange, 401, { 'WWW-Authenticate': 'Basic realm="site"' });
  }
  for (const [name, value] of Object.entries(site.rules.headersFor(path))) {
    exchange.response.setHeader(name, value);
  }
  const forced = site.rules.redirect(target, headers.host, true);
  if (forced) return follow(site, exchange, forced);
  const found = await site.files.find(path);
  if (found === 'folder') return redirect(exchange, 301, encodePath(`${path}/`) + target.search);
  if (found) return answerFile(exchange, path, found);
  const ruled = site.rules.redirect(target, headers.host, false);
  if (ruled) return follow(site, exchange, ruled);
  const page = site.fallback !== null && isPage(path) ? await findFile(site, site.fallback) : null;
  if (page) return answerFile(exchange, path, page);
  return answerMissing(site, exchange);
}

function answerFile(exchange: Exchange, path: string, file: Variants): void {
  const { response } = exchange;
  if (!response.hasHeader('Cache-Control')) {
    const isForEver = isHashed(path);
    response.setHeader(
      'Cache-Control',
      isForEver ? `public, max-age=${YEAR_S}, immutable` : 'no-cache',
    );
  }
  sendFile(exchange, file);
}

async function answerMissing(site: Site, exchange: Exchange): Promise<void> {
  const page = await findFile(site, '/404.html');
  return page ? sendPage(exchange, 404, page) : sendStatus(exchange, 404);
}

/** Does what a rule of `_redirects` says: sends elsewhere, or answers with another file. */
async function follow(site: Site, exchange: Exchange, { status, to }: Redirect): Promise<void> {
  if (status >= 300 && status < 400) return redirect(exchange, status, to);
  const target = readTarget(to);
  const file = typeof target === 'object' ? await findFile(site, target.path) : null;
  if (!file) return answerMissing(site, exchange);
  if (status === 200) return answerFile(exchange, '/', file);
  return sendPage(exchange, status, file);
}

function redirect({ response }: Exchange, status: number, location: string): void {
  response.writeHead(status, { Location: location, 'Content-Length': 0 }).end();
}

async function findFile({ files }: Pick<Site, 'files'>, path: string): Promise<Variants | null> {
  const found = await files.find(path);
  return found === 'folder' ? findFile({ files }, `${path}/`) : found;
}

/** A path whose last part has an extension is a file that is missing, and no page of the app. */
function isPage(path: string): boolean {
  return !path.slice(path.lastIndexOf('/')).includes('.');
}

import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { serveDashboard } from '../../../src/controller/admin/dashboard.ts';
import { listenWith } from '../../support/admin-server.ts';

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A server that answers what the dashboard leaves alone with 418. */
async function serve() {
  const app = Fastify({ exposeHeadRoutes: false });
  serveDashboard(app);
  app.setNotFoundHandler((_request, reply) => reply.code(418).send());
  const port = await listenWith(app);
  return (path: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const outgoing = request({ port, path, agent: false, ...options }, (response) => {
        const { statusCode: status = 0, headers } = response;
        text(response).then((body) => resolve({ status, headers, body }), reject);
      });
      outgoing.on('error', reject).end();
    });
}

test('serves the page under a policy that lets in no script but its own', async () => {
  const get = await serve();
  const { status, headers, body } = await get('/?from=somewhere');
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self';");
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(headers['content-security-policy']).not.toContain('unsafe');
  expect(body).not.toMatch(/<script(?![^>]+src=)|<style|\sstyle=|\son\w+=/);
  expect(body).not.toMatch(/https?:\/\//);
});

test('serves each file that the page asks for', async () => {
  const get = await serve();
  const types: Record<string, string> = {
    js: 'text/javascript',
    css: 'text/css',
    svg: 'image/svg',
  };
  const seen = new Set<string>();
  const follow = async (path: string): Promise<void> => {
    if (seen.has(path)) return;
    seen.add(path);
    const { status, headers, body } = await get(path);
    expect([path, status]).toEqual([path, 200]);
    expect(headers['content-type']).toContain(types[path.split('.').pop() ?? ''] ?? 'text/html');
    expect(headers['x-content-type-options']).toBe('nosniff');
    for (const [, url] of body.matchAll(/(?:src|href)="(\/[^"]+)"/g)) await follow(url as string);
  };
  await follow('/');
  expect([...seen].sort()).toEqual([
    '/',
    '/assets/icon.svg',
    '/assets/main.css',
    '/assets/main.js',
  ]);
});

test('the page needs no other machine: its script and its styles have all libraries in them', async () => {
  const get = await serve();
  const { body: script } = await get('/assets/main.js');
  expect(script).not.toMatch(/\bimport\b[^;]{0,80}['"]|\bimport\(/);
  // Namespaces are names, and are not asked for.
  const addresses = script.match(/https?:\/\/[^"'`\s)]+/g) ?? [];
  expect(addresses.filter((url) => !url.startsWith('http://www.w3.org/'))).toEqual([]);
  const { body: styles } = await get('/assets/main.css');
  expect(styles).not.toMatch(/@import|https?:|url\(/);
});

test('saves a file that the browser has already', async () => {
  const get = await serve();
  const first = await get('/assets/main.js');
  const etag = first.headers.etag as string;
  const again = await get('/assets/main.js', { headers: { 'if-none-match': etag } });
  expect(again).toMatchObject({ status: 304, body: '' });
  const head = await get('/assets/main.js', { method: 'HEAD' });
  expect(head).toMatchObject({ status: 200, body: '' });
  expect(Number(head.headers['content-length'])).toBe(Buffer.byteLength(first.body));
});

test('gives out nothing but its own files, and leaves the rest to others', async () => {
  const get = await serve();
  for (const path of ['/assets/', '/assets/..%2f..%2fpackage.json', '/assets/../../package.json']) {
    expect((await get(path)).status).toBe(404);
  }
  expect((await get('/assets/tsconfig.json')).status).toBe(404);
  for (const path of ['/api/status', '/index.html', '/metrics']) {
    expect((await get(path)).status).toBe(418);
  }
  expect((await get('/', { method: 'POST' })).status).toBe(418);
});

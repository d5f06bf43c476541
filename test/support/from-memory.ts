import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join, relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { sitePaths } from '../../src/slots/paths.ts';
import type { Site } from './site.ts';
import { until } from './until.ts';

/**
 * What an answer from memory need not have in common with the one that the site gave:
 * - the connection's own fields and the body's length, which are made anew for each (RFC 9110 §7.6.1);
 * - `Date`: what is right until the flip is as good as made now, and a browser would not keep one of an hour ago (RFC 9111 §4.2.2);
 * - `Age` and `Cache-Status` tell that it is from memory (RFC 9111 §5.1, RFC 9211), and `x-slots-release` of which release.
 */
const MAY_DIFFER = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'date',
  'age',
  'cache-status',
  'x-slots-release',
]);

interface Answered {
  status: number;
  /** Name in lower case and value, in order. */
  fields: [string, string][];
  body: Buffer;
  cacheStatus: string;
}

/** An image of several reads: nobody looks at it. */
export const PHOTO = 'no real image '.repeat(20_000);

/**
 * URLs of the release's hashed files below a folder of its output.
 *
 * @param url of the folder
 */
export async function hashedFiles(site: Site, folder: string, url: string): Promise<string[]> {
  const { active, slots } = await site.status();
  const release = slots[active as 'blue'].release as string;
  const dir = join(sitePaths(site.root).releases, release, 'dist', folder);
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile() && /\.(js|css)$/.test(entry.name));
  expect(files.length, `hashed files in ${dir}`).toBeGreaterThan(0);
  const pathOf = (entry: Dirent) => relative(dir, join(entry.parentPath, entry.name));
  return files.slice(0, 3).map((entry) => `${url}/${pathOf(entry)}`);
}

/**
 * Expects that the site's answers to these come from memory after a worker's first visitor, and that they are those of the
 * site itself.
 */
export async function expectFromMemory(site: Site, paths: readonly string[]): Promise<void> {
  const { active } = await site.status();
  for (const path of paths) {
    const own = await ask(site, site.ports[active as 'blue'], path);
    expect(own.status, path).toBe(200);
    const kept = await until(async () => {
      const answer = await ask(site, site.ports.proxy, path);
      return answer.cacheStatus.startsWith('slots; hit') && answer;
    }, `${path} from memory`);
    expect(kept.status).toBe(200);
    expect(kept.body.equals(own.body), `the bytes of ${path}`).toBe(true);
    expect(comparable(kept), `the fields of ${path}`).toEqual(comparable(own));

    // The other worker has its first visitor among these.
    const later: Answered[] = [];
    for (let i = 0; i < 8; i++) later.push(await ask(site, site.ports.proxy, path));
    const others = later.filter(({ cacheStatus }) => !cacheStatus.startsWith('slots; hit'));
    expect(others.length, `requests for ${path} that went to the site`).toBeLessThanOrEqual(1);

    for (const coding of ['gzip', 'br']) {
      const { body, fields } = await ask(site, site.ports.proxy, path, coding);
      expect(decoded(body, fields).equals(own.body), `${path} in ${coding}`).toBe(true);
    }
  }
}

function decoded(body: Buffer, fields: [string, string][]): Buffer {
  const coding = fields.find(([name]) => name === 'content-encoding')?.[1];
  if (coding === undefined) return body;
  return coding === 'br' ? brotliDecompressSync(body) : gunzipSync(body);
}

/** What leaves compressed for others says so to each (RFC 9110 §12.5.5), wherever the site has put its own `Vary`. */
function comparable({ fields }: Answered) {
  const vary = fields
    .filter(([name]) => name === 'vary')
    .flatMap(([, value]) => value.split(',').map((name) => name.trim().toLowerCase()))
    .filter((name) => name !== 'accept-encoding');
  return { fields: fields.filter(([name]) => !MAY_DIFFER.has(name) && name !== 'vary'), vary };
}

async function ask(site: Site, port: number, path: string, coding = 'identity'): Promise<Answered> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    // The same host at both, for some answers name it.
    const headers = { host: new URL(site.origin).host, 'accept-encoding': coding };
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false });
    outgoing.on('error', reject).on('response', resolve).end();
  });
  const { rawHeaders, statusCode = 0, headers } = answer;
  const fields = rawHeaders.flatMap((name, i): [string, string][] =>
    i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] as string]] : [],
  );
  const cacheStatus = String(headers['cache-status'] ?? '');
  return { status: statusCode, fields, body: await buffer(answer), cacheStatus };
}

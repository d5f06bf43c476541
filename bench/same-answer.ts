/** What is compared must do the same: each proxy is asked once, and its answer is held against the origin's file. */
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { get as getTls } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';

const DECODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/**
 * @param headers lines, as wrk gets them
 * @param folder holds the origin's files under their URLs
 * @throws Error naming the proxy, for another answer than the origin's
 */
export async function expectSameAnswer(
  name: string,
  url: string,
  headers: readonly string[],
  folder: string,
): Promise<void> {
  const { status, body, coding } = await ask(url, headers);
  const isConditional = headers.some((header) => header.startsWith('If-Modified-Since:'));
  const wanted = isConditional
    ? Buffer.alloc(0)
    : readFileSync(join(folder, new URL(url).pathname));
  const decoded = coding === undefined ? body : DECODERS[coding]?.(body);
  const isSame = status === (isConditional ? 304 : 200) && decoded?.equals(wanted) === true;
  if (isSame) return;
  throw new Error(`${name}: ${url} was answered ${status} with ${body.length} bytes (${coding})`);
}

async function ask(url: string, headers: readonly string[]) {
  const options = {
    agent: false as const,
    rejectUnauthorized: false,
    headers: Object.fromEntries(headers.map((header) => header.split(/:\s*(.*)/, 2))),
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = url.startsWith('https:') ? getTls(url, options) : get(url, options);
    outgoing.on('response', resolve).on('error', reject);
  });
  return {
    status: answer.statusCode,
    coding: answer.headers['content-encoding'],
    body: await buffer(answer),
  };
}

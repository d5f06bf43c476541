/** Bodies as a whole: stored ones in Node's thread pool, small ones on their way at once. */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Coding } from './codings.ts';
import { createGzip } from './gzip-context.ts';
import { QUICK_LEVELS } from './streams.ts';

const { constants } = zlib;

/** `quick` is there soon, at the level of answers on the fly; `best` is the highest, once for many visitors. */
export type Effort = 'quick' | 'best';

/** In bytes. At the levels of answers on the fly the event loop stands still for about 0.65 ms (gzip; bench/README.md). */
export const MOST_BYTES_NOW = 65_536;

const LEVELS: Record<Coding, Record<Effort, number>> = {
  gzip: { quick: QUICK_LEVELS.gzip, best: 9 },
  br: { quick: QUICK_LEVELS.br, best: 11 },
  zstd: { quick: QUICK_LEVELS.zstd, best: 19 },
};

/** Brotli's windows, in bits, without its extension for larger ones (RFC 7932 §9.1). */
const LEAST_WINDOW_BITS = 10;
const MOST_WINDOW_BITS = 22;

/** @returns `null` when it would be no smaller */
export async function encodeWhole(
  body: Buffer,
  coding: Coding,
  effort: Effort,
): Promise<Buffer | null> {
  const bytes = await encode(body, coding, LEVELS[coding][effort]);
  if (bytes.length >= body.length) return null;
  // In memory of its own: the result may be a part of something larger, which would be kept whole.
  const own = Buffer.allocUnsafeSlow(bytes.length);
  own.set(bytes);
  return own;
}

let gzipNow: ((body: Buffer) => Buffer) | null = null;

/** On the event loop. */
export function encodeNow(body: Buffer, coding: Coding): Buffer {
  const level = LEVELS[coding].quick;
  if (coding === 'gzip') {
    gzipNow ??= createGzip(level, MOST_BYTES_NOW);
    return gzipNow(body);
  }
  if (coding === 'br') return zlib.brotliCompressSync(body, brotliOptions(level, body.length));
  return zlib.zstdCompressSync(body, zstdOptions(level, body.length));
}

const gzip = promisify(zlib.gzip);
const br = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);

function encode(body: Buffer, coding: Coding, level: number): Promise<Buffer> {
  if (coding === 'gzip') return gzip(body, { level });
  if (coding === 'br') return br(body, brotliOptions(level, body.length));
  // Not at the top: an older Node has no such function.
  const zstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
  return zstd(body, zstdOptions(level, body.length));
}

/** On the fly with a window no larger than the body: each one is memory that is cleared first. */
function brotliOptions(level: number, length: number): zlib.BrotliOptions {
  // It keeps 16 bytes of the window for itself (RFC 7932 §9.1).
  const fitted = level === LEVELS.br.best ? MOST_WINDOW_BITS : 32 - Math.clz32(length + 15);
  const bits = Math.min(Math.max(fitted, LEAST_WINDOW_BITS), MOST_WINDOW_BITS);
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_LGWIN]: bits,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: length,
    },
  };
}

/** Fits its tables to the length. */
function zstdOptions(level: number, length: number): zlib.ZstdOptions {
  return {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      // RFC 9659: a browser need not take a window over 8 MiB.
      [constants.ZSTD_c_windowLog]: 22,
    },
    pledgedSrcSize: length,
  };
}

/** Stored bodies as a whole, in Node's thread pool. */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { Coding } from './codings.ts';

const { constants } = zlib;

/** `quick` is there soon, at the level of answers on the fly; `best` is the highest, once for many visitors. */
export type Effort = 'quick' | 'best';

const gzip = promisify(zlib.gzip);
const br = promisify<Buffer, zlib.BrotliOptions, Buffer>(zlib.brotliCompress);

const LEVELS: Record<Coding, Record<Effort, number>> = {
  gzip: { quick: 4, best: 9 },
  br: { quick: 4, best: 11 },
  zstd: { quick: 3, best: 19 },
};

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

function encode(body: Buffer, coding: Coding, level: number): Promise<Buffer> {
  if (coding === 'gzip') return gzip(body, { level });
  if (coding === 'br') {
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: level,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
    };
    return br(body, { params });
  }
  // Not at the top: an older Node has no such function.
  const zstd = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
  // RFC 9659: a browser need not take a window over 8 MiB.
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_windowLog]: 22,
  };
  return zstd(body, { params, pledgedSrcSize: body.length });
}

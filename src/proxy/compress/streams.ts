/** Node's compressors, as answers on the fly use them. */
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { Coding } from './codings.ts';

const { constants } = zlib;

/** 256 KiB: brotli and zstd find little more in pages with a larger one, and each stream takes its own. */
const WINDOW_BITS = 18;

/**
 * Of answers on the fly. The next level up costs gzip 8 % more for 1 % of the bytes of a page of 16 KiB, and then 20 % for 2 %;
 * brotli 80 % for 1.5 %; zstd 80 % for 3 % (bench/README.md, *Compression*).
 */
export const QUICK_LEVELS: Readonly<Record<Coding, number>> = { gzip: 2, br: 3, zstd: 3 };

/** Each flushes after every piece. */
const MAKERS: Record<Coding, () => Transform> = {
  gzip: () => zlib.createGzip({ level: QUICK_LEVELS.gzip, flush: constants.Z_SYNC_FLUSH }),
  br: () =>
    zlib.createBrotliCompress({
      flush: constants.BROTLI_OPERATION_FLUSH,
      params: {
        [constants.BROTLI_PARAM_QUALITY]: QUICK_LEVELS.br,
        [constants.BROTLI_PARAM_LGWIN]: WINDOW_BITS,
        [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      },
    }),
  zstd: () =>
    zlib.createZstdCompress({
      flush: constants.ZSTD_e_flush,
      params: {
        [constants.ZSTD_c_compressionLevel]: QUICK_LEVELS.zstd,
        [constants.ZSTD_c_windowLog]: WINDOW_BITS,
      },
    }),
};

/** What one stream takes of memory, in bytes, as measured. */
export const STREAM_BYTES: Readonly<Record<Coding, number>> = {
  gzip: 420_000,
  br: 2_200_000,
  zstd: 1_600_000,
};

export function createStream(coding: Coding): Transform {
  return MAKERS[coding]();
}

/** Node has zstd since 22.15 and 23.8. */
export function availableCodings(): Set<Coding> {
  const all: Coding[] = ['br', 'gzip'];
  if (typeof zlib.createZstdCompress === 'function') all.push('zstd');
  return new Set(all);
}

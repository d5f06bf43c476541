import { z } from 'zod';
import { milliseconds } from './milliseconds.ts';

const MIB = 1024 ** 2;

/** Parameters that tell where a visitor came from, and change no page. */
const TRACKING = [
  'utm_*',
  'gclid',
  'gclsrc',
  'dclid',
  'gbraid',
  'wbraid',
  'fbclid',
  'msclkid',
  'twclid',
  'ttclid',
  'igshid',
  'mc_cid',
  'mc_eid',
  '_hsenc',
  '_hsmi',
  'mkt_tok',
  'yclid',
];

/** Cookies of scripts that count visitors, and of slots itself. */
const COUNTING = [
  '_ga',
  '_ga_*',
  '_gid',
  '_gat*',
  '_gcl_*',
  '_fbp',
  '_fbc',
  '_pk_*',
  '__utm*',
  'slots-*',
];

/** A path, in which `*` stands for anything but a slash, and `**` for anything. */
const pathPattern = z
  .string()
  .startsWith('/', 'a path that begins with "/", for instance "/blog/**"');

/** `cache` of the config: the release cache of each proxy worker (RFC 9111); `false` turns it off. */
export const cacheSchema = z
  .union([
    z.literal(false),
    z.strictObject({
      /**
       * Pages that change by promotion only, such as `/**`: they are kept until the next flip though they do not say so
       * themselves, for visitors without cookies. `*` stands for anything but a slash, `**` for anything.
       */
      untilRelease: z.array(pathPattern).default([]),
      /** Those of them that are asked for each time all the same. */
      except: z.array(pathPattern).default([]),
      /** Parameters of a URL's query that change no answer; `*` at the end stands for any rest. */
      ignoreQuery: z.array(z.string().min(1)).default(TRACKING),
      /** Cookies that change no page under `untilRelease`; `*` at the end stands for any rest. */
      ignoreCookies: z.array(z.string().min(1)).default(COUNTING),
      /** Memory of each worker for answers, in bytes; what was asked for longest ago goes first. */
      maxBytes: z
        .int()
        .min(0)
        .default(64 * MIB),
      /** The largest body that is kept, in bytes. */
      maxEntryBytes: z.int().min(0).default(MIB),
      /** How long after its time an answer may be given when the site fails, in milliseconds (RFC 5861 §4). */
      staleIfErrorMs: milliseconds.default(3_600_000),
    }),
  ])
  .prefault({});

export type CacheConfig = Exclude<z.output<typeof cacheSchema>, false>;

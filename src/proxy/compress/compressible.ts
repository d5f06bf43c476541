/** Which answers are worth compressing, and may be. Pure. */
import { rememberSome } from '../remember.ts';

/** Below this many bytes it costs more than it saves. */
export const LEAST_BYTES = 1024;

/** Text, and what is as redundant: uncompressed fonts, icons and WebAssembly. Types of events go on as they come. */
const TYPES = [
  'text/(?!event-stream$).+',
  '.+\\+(?:json|xml|text|yaml)',
  'application/(?:x-)?(?:json5?|ndjson|jsonlines|javascript|ecmascript|xml|yaml|toml|sql|sh)',
  'application/(?:json-seq|graphql|wasm|manifest|rtf|vnd\\.ms-fontobject)',
  '(?:application/(?:x-)?font-|font/)(?:ttf|otf|sfnt|collection|opentype|truetype)',
  'image/(?:svg|x-icon|vnd\\.microsoft\\.icon|bmp)',
];
const TYPE = new RegExp(`^(?:${TYPES.join('|')})$`, 'i');

/** By the value of a `Content-Type` field. */
export const isCompressibleType: (value: string) => boolean = rememberSome(
  (value) => {
    const end = value.indexOf(';');
    return TYPE.test((end === -1 ? value : value.slice(0, end)).trim());
  },
  200,
  128,
);

/** No body, or a part of one (RFC 9110 §15.3 and §15.4.5, RFC 3229 §10.4.1). */
const NOT_WHOLE = new Set([204, 205, 206, 226, 304]);

/**
 * `in the way`: the site has encoded it, or says what its bytes are: a range, or a digest of them (RFC 9530; the older ones,
 * RFC 3230 and RFC 1864).
 */
const KINDS = new Map<string, 'type' | 'policy' | 'in the way'>([
  ['content-type', 'type'],
  ['cache-control', 'policy'],
  ['content-encoding', 'in the way'],
  ['content-range', 'in the way'],
  ['content-digest', 'in the way'],
  ['repr-digest', 'in the way'],
  ['digest', 'in the way'],
  ['content-md5', 'in the way'],
]);

const kindOf = rememberSome((name) => KINDS.get(name.toLowerCase()) ?? null);

/**
 * Whether a visitor may get this answer compressed.
 *
 * @param fields of the answer, name and value in turn
 * @param length of the body in bytes, or -1 when it is not known
 */
export function isCompressible(status: number, fields: readonly string[], length: number): boolean {
  if (length !== -1 && length < LEAST_BYTES) return false;
  if (NOT_WHOLE.has(status)) return false;
  let isOfType = false;
  for (let i = 0; i < fields.length; i += 2) {
    const kind = kindOf(fields[i] as string);
    if (kind === null) continue;
    const value = fields[i + 1] as string;
    if (kind === 'type') isOfType = isCompressibleType(value);
    else if (kind === 'in the way' || /\bno-transform\b/i.test(value)) return false;
  }
  return isOfType;
}

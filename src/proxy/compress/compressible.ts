/** Which answers are worth compressing, and may be. Pure. */

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

/** Content types as they are written, mostly a dozen; a site that makes up more must not fill memory. */
const MOST_REMEMBERED = 200;
const remembered = new Map<string, boolean>();

/** @param value of a `Content-Type` field */
export function isCompressibleType(value: string): boolean {
  const known = remembered.get(value);
  if (known !== undefined) return known;
  const end = value.indexOf(';');
  const is = TYPE.test((end === -1 ? value : value.slice(0, end)).trim());
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  if (value.length <= 128) remembered.set(value, is);
  return is;
}

/** No body, or a part of one (RFC 9110 §15.3 and §15.4.5, RFC 3229 §10.4.1). */
const NOT_WHOLE = new Set([204, 205, 206, 226, 304]);

/**
 * The site has encoded it, or says what its bytes are: a range, or a digest of them (RFC 9530; the older ones, RFC 3230 and
 * RFC 1864).
 */
const IN_THE_WAY = new Set([
  'content-encoding',
  'content-range',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
]);

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
    const name = (fields[i] as string).toLowerCase();
    const value = fields[i + 1] as string;
    if (name === 'content-type') isOfType = isCompressibleType(value);
    else if (name === 'cache-control' && /\bno-transform\b/i.test(value)) return false;
    else if (IN_THE_WAY.has(name)) return false;
  }
  return isOfType;
}

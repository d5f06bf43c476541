/** A request that HTTP/1.1 has no way to write down: HTTP/2 lets a visitor say more. */
export class InvalidRequest extends Error {
  readonly code = 'INVALID_REQUEST';
}

/** How a request's body is told apart from what follows (RFC 9112 §6): by the fields' Content-Length, or in chunks. */
export type BodyFraming = 'none' | 'length' | 'chunked';

const METHOD = /^[!#$%&'*+.^_`|~\w-]+$/;
const NOT_IN_PATH = /[^\x21-\x7e\x80-\xff]/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * The head of a request, as it goes to the slot. A character over U+00FF would be cut down to a byte of another
 * meaning, a line's end among them.
 *
 * @param fields pairs of name and value; the names are tokens
 * @param asks whether the slot is to say first if it wants the body (RFC 9110 §10.1.1)
 * @throws InvalidRequest
 */
export function requestHead(
  method: string,
  path: string,
  fields: readonly string[],
  framing: BodyFraming = 'none',
  asks = false,
): string {
  if (method !== 'GET' && !METHOD.test(method)) throw new InvalidRequest('a method that is none');
  if (NOT_IN_PATH.test(path)) throw new InvalidRequest('a character that no path may have');
  let head = `${method} ${path} HTTP/1.1\r\n${fieldLines(fields)}`;
  if (framing === 'chunked') head += 'transfer-encoding: chunked\r\n';
  if (asks) head += 'expect: 100-continue\r\n';
  return `${head}connection: keep-alive\r\n\r\n`;
}

/**
 * The lines of a head, or of trailers.
 *
 * @param fields pairs of name and value
 * @throws InvalidRequest
 */
export function fieldLines(fields: readonly string[]): string {
  let lines = '';
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1] as string;
    if (NOT_IN_VALUE.test(value)) throw new InvalidRequest('a character that no field may have');
    lines += `${fields[i]}: ${value}\r\n`;
  }
  return lines;
}

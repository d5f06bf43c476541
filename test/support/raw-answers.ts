/** Reads HTTP/1.1 answers out of bytes, just enough for tests. */

export interface Answer {
  status: number;
  reason: string;
  /** Name and value, case and order as they came. */
  fields: [string, string][];
  trailers: [string, string][];
  body: string;
  /** How its end is known. */
  framing: 'none' | 'length' | 'chunked' | 'close';
  /** Whether its end has come; one that ends with the connection is complete when that has ended. */
  complete: boolean;
}

interface Body {
  body: string;
  trailers: [string, string][];
  /** Where the next answer begins, or -1 while this one is not complete. */
  end: number;
}

/** @param gone whether the connection has ended */
export function parseAnswers(text: string, methods: readonly string[], gone: boolean): Answer[] {
  const answers: Answer[] = [];
  let at = 0;
  let finals = 0;
  while (at < text.length) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd === -1) break;
    const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const [, status = '', reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
    if (status === '') throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
    const fields = lines.map(toField);
    const isFinal = Number(status) >= 200;
    const framing = framingOf(Number(status), fields, isFinal ? methods[finals] : undefined);
    const { body, trailers, end } = readBody(text, headEnd + 4, framing, fields);
    const complete = framing === 'close' ? gone : end !== -1;
    answers.push({ status: Number(status), reason, fields, trailers, body, framing, complete });
    if (isFinal) finals++;
    if (end === -1) break;
    at = end;
  }
  return answers;
}

/** All values of a field, in order. */
export function values(fields: readonly [string, string][], name: string): string[] {
  return fields.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** The fields of a request as a raw origin received it: the first head in the text. */
export function requestFields(text: string): [string, string][] {
  const [, ...lines] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n');
  return lines.map(toField);
}

function toField(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function framingOf(status: number, fields: [string, string][], method: string | undefined) {
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return 'none';
  if (values(fields, 'transfer-encoding').includes('chunked')) return 'chunked';
  return values(fields, 'content-length').length > 0 ? 'length' : 'close';
}

function readBody(
  text: string,
  at: number,
  framing: Answer['framing'],
  fields: [string, string][],
): Body {
  if (framing === 'none') return { body: '', trailers: [], end: at };
  if (framing === 'close') return { body: text.slice(at), trailers: [], end: -1 };
  if (framing === 'chunked') return readChunks(text, at);
  const length = Number(values(fields, 'content-length')[0]);
  const body = text.slice(at, at + length);
  return { body, trailers: [], end: body.length === length ? at + length : -1 };
}

function readChunks(text: string, from: number): Body {
  let body = '';
  let at = from;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return { body, trailers: [], end: -1 };
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) break;
    body += text.slice(at, at + size);
    at += size + 2;
    if (at > text.length) return { body, trailers: [], end: -1 };
  }
  const trailers: [string, string][] = [];
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) return { body, trailers, end: -1 };
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { body, trailers, end: at };
    trailers.push(toField(line));
  }
}

/**
 * Reads plain requests: `GET` or `HEAD` of a path, HTTP/1.1, one `Host`, ordinary fields, no body, nothing to upgrade or to
 * expect (RFC 9112). Whatever is not plainly that is left to Node's parser. Pure.
 */
import { trim } from '../request/trim.ts';

export interface PlainHead {
  method: 'GET' | 'HEAD';
  /** Origin form (RFC 9112 §3.2.1), as it came. */
  url: string;
  /** Name and value in turn, as they came. */
  fields: string[];
  known: PlainFields;
  /** The head itself, where nothing has come behind it. */
  text: string | null;
  /** Where the head ends in what was read. */
  end: number;
}

/** The fields that the proxy itself looks at. */
export interface PlainFields {
  host: string;
  connection: string | undefined;
  accept: string | undefined;
  cookie: string | undefined;
}

/** `more`: too little has come to tell, or to answer. `other`: somebody else has to read it. */
export type PlainReading = PlainHead | 'more' | 'other';

/** Longer heads are for Node's parser, which has the limit `proxy.limits.headerBytes`. */
export const LONGEST_PLAIN_HEAD = 8192;

const MOST_FIELDS = 64;

/** RFC 9112 §3: what Node's parser takes for a path and a query too. */
const REQUEST_LINE = /^(GET|HEAD) (\/[\x21-\x7e]*) HTTP\/1\.1\r\n/;

/** As in the answers' reader; a folded line is none (RFC 9112 §5.2). */
const FIELD_LINES = /(?:[!#$%&'*+.^_`|~\w-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n/y;

/** A request that has one of these is not plain: it says something of a body, the connection or another protocol. */
const NOT_PLAIN = new Set([
  'content-length',
  'transfer-encoding',
  'trailer',
  'expect',
  'upgrade',
  'http2-settings',
  'proxy-connection',
]);

/** @param text what has come, from the first byte of the request on */
export function readPlainRequest(text: string): PlainReading {
  const line = REQUEST_LINE.exec(text);
  if (line === null) return isBeginOfLine(text) ? 'more' : 'other';
  const from = line[0].length;
  FIELD_LINES.lastIndex = from;
  if (!FIELD_LINES.test(text)) return mayGoOn(text, from) ? 'more' : 'other';
  return readFields(line, text, from, FIELD_LINES.lastIndex);
}

/** Such a head would never come to the empty line that ends one. */
const BARE_LF = /[^\r]\n/;

function mayGoOn(text: string, from: number): boolean {
  return !text.includes('\r\n\r\n', from - 2) && !BARE_LF.test(text);
}

/** Whoever reads it should see the whole first line: it names the protocol. */
function isBeginOfLine(text: string): boolean {
  return /^[A-Z]/.test(text) && !text.includes('\n');
}

function readFields(
  line: RegExpExecArray,
  text: string,
  from: number,
  end: number,
): PlainHead | 'other' {
  const fields: string[] = [];
  const known: PlainFields = {
    host: '',
    connection: undefined,
    accept: undefined,
    cookie: undefined,
  };
  for (let at = from; at < end - 2; ) {
    const colon = text.indexOf(':', at);
    const eol = text.indexOf('\r\n', colon);
    const name = text.slice(at, colon);
    const value = trim(text, colon + 1, eol);
    fields.push(name, value);
    if (!note(known, name, value)) return 'other';
    at = eol + 2;
  }
  if (known.host === '' || fields.length > 2 * MOST_FIELDS) return 'other';
  return {
    method: line[1] as 'GET' | 'HEAD',
    url: line[2] as string,
    fields,
    known,
    text: end === text.length ? text : null,
    end,
  };
}

/** @returns whether the field is one that a plain request may have, as often as it has come by now */
function note(known: PlainFields, name: string, value: string): boolean {
  switch (name.length) {
    case 4:
      if (name.toLowerCase() !== 'host') return true;
      if (known.host !== '') return false;
      known.host = value;
      return value !== '';
    case 6: {
      const lower = name.toLowerCase();
      if (lower === 'accept') known.accept = join(known.accept, ', ', value);
      else if (lower === 'cookie') known.cookie = join(known.cookie, '; ', value);
      return lower !== 'expect';
    }
    case 10: {
      if (name.toLowerCase() !== 'connection') return true;
      if (known.connection !== undefined) return false;
      known.connection = value.toLowerCase();
      return known.connection === 'keep-alive' || known.connection === 'close';
    }
    case 7:
    case 14:
    case 16:
    case 17:
      return !NOT_PLAIN.has(name.toLowerCase());
    default:
      return true;
  }
}

function join(before: string | undefined, separator: string, value: string): string {
  return before === undefined ? value : before + separator + value;
}

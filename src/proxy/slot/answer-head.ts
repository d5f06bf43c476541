import { trim } from '../request/trim.ts';

/** The slot sent no answer that HTTP/1.1 allows, or none that can be passed on. */
export class BadAnswer extends Error {
  readonly code = 'BAD_ANSWER';
}

/** The head of a slot's answer (RFC 9112 §4 and §5). */
export interface AnswerHead {
  status: number;
  /** The reason phrase, which may be empty. */
  reason: string;
  /** Pairs of name and value, as they came. */
  fields: string[];
  known: KnownFields;
  /** Whether the slot speaks HTTP/1.0, which closes the connection after its answer. */
  isHttp10: boolean;
}

/** The fields that say something about the connection or the body; several of a name are joined by a comma. */
export interface KnownFields {
  connection: string | undefined;
  'content-length': string | undefined;
  'content-type': string | undefined;
  'keep-alive': string | undefined;
  trailer: string | undefined;
  'transfer-encoding': string | undefined;
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/;

/**
 * Lines of a name that is a token (RFC 9110 §5.6.2), a colon, and a value without control characters. A line that
 * begins with a space, a folded one, is none (RFC 9112 §5.2: a proxy may refuse it).
 */
const FIELD_LINES = /^(?:[!#$%&'*+.^_`|~\w-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;

/**
 * Takes the head of an answer apart.
 *
 * @param text from the first byte to the empty line, and that as well
 * @throws BadAnswer
 */
export function parseAnswerHead(text: string): AnswerHead {
  const line = STATUS_LINE.exec(text);
  if (line === null) throw new BadAnswer('the slot sent no status line of HTTP/1.1');
  const { fields, known } = parseFields(text.slice(line[0].length));
  return {
    status: Number(line[2]),
    reason: line[3] ?? '',
    fields,
    known,
    isHttp10: line[1] === '0',
  };
}

/**
 * Takes the lines of a head or of trailers apart.
 *
 * @param text the lines with the empty one that ends them
 * @throws BadAnswer
 */
export function parseFields(text: string): { fields: string[]; known: KnownFields } {
  if (!FIELD_LINES.test(text)) throw new BadAnswer('the slot sent a field that is none');
  const fields: string[] = [];
  const known: KnownFields = {
    connection: undefined,
    'content-length': undefined,
    'content-type': undefined,
    'keep-alive': undefined,
    trailer: undefined,
    'transfer-encoding': undefined,
  };
  const end = text.length - 2;
  for (let at = 0; at < end; ) {
    const colon = text.indexOf(':', at);
    const eol = text.indexOf('\r\n', colon);
    const name = text.slice(at, colon);
    const value = trim(text, colon + 1, eol);
    fields.push(name, value);
    note(known, name, value);
    at = eol + 2;
  }
  return { fields, known };
}

/** By their lengths first: most fields are none of these, and need not be made lower-case. */
function note(known: KnownFields, name: string, value: string): void {
  switch (name.length) {
    case 7:
    case 10:
    case 12:
    case 14:
    case 17: {
      const lower = name.toLowerCase();
      if (!Object.hasOwn(known, lower)) return;
      const key = lower as keyof KnownFields;
      const before = known[key];
      known[key] = before === undefined ? value : `${before}, ${value}`;
    }
  }
}

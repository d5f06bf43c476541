/** Answers of a site, made from a grammar: whole ones in every framing, cut ones, and what is none. */
import { bodyOf, cut, type Random, random } from './random.ts';

export interface AnswerPlan {
  /** What is written, with a turn of the event loop between two. */
  pieces: Buffer[];
  /** What becomes of the connection then. */
  ending: 'keep' | 'end' | 'reset' | 'silence';
  /**
   * `whole`: a visitor who stays gets it. `cut`: no visitor may take it for whole. `refused`: it is no answer that anybody may
   * get whole as it stands.
   */
  sort: 'whole' | 'cut' | 'refused';
  status: number;
  /** The body of a whole one; '' for HEAD. */
  body: string;
  /** Whether it is given before the request's body has been read. */
  early: boolean;
}

const CRLF = '\r\n';
const STATUSES = [200, 200, 200, 201, 206, 404, 500, 503, 600, 777, 999];
const LENGTHS = [0, 1, 20, 2048, 20_000, 70_000, 200_000];

interface Told {
  marker: string;
  method: string;
  at: Random;
}

export function planAnswer(seed: number, marker: string, method: string): AnswerPlan {
  const at = random(seed);
  const told = { marker, method, at };
  const kind = at.below(20);
  if (kind < 11) return whole(told);
  if (kind < 13) return withMore(told);
  if (kind < 17) return cutOff(told);
  return refused(told);
}

function head(told: Told, status: number, fields: string[]): string {
  const { marker, at } = told;
  const more = at.chance(0.3) ? ['__proto__: x', 'Constructor: y'] : [];
  const lines = [`HTTP/1.1 ${status} Some reason`, `X-Marker: ${marker}`, ...more, ...fields];
  return lines.join(CRLF) + CRLF + CRLF;
}

function informational({ at }: Told): string {
  if (!at.chance(0.2)) return '';
  const one = at.pick([
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n',
  ]);
  return one.repeat(1 + at.below(3));
}

function chunked({ at }: Told, body: string): string {
  let text = '';
  for (let from = 0; from < body.length; ) {
    const size = Math.min(body.length - from, 1 + at.below(at.pick([10, 1000, 50_000])));
    const extension = at.chance(0.1) ? ';a="b"' : '';
    text += size.toString(16) + extension + CRLF + body.slice(from, from + size) + CRLF;
    from += size;
  }
  const trailers = at.chance(0.2) ? `X-Trailer: t${CRLF}` : '';
  return `${text}0${CRLF}${trailers}${CRLF}`;
}

interface Bytes {
  bytes: string;
  /** Where the head ends. */
  headLength: number;
  status: number;
  body: string;
  closes: boolean;
}

/** One answer in a framing that is right for it. */
function wholeBytes(told: Told): Bytes {
  const { at, marker, method } = told;
  const first = informational(told);
  if (at.chance(0.1)) {
    const status = at.pick([204, 304]);
    const text = first + head(told, status, []);
    return { bytes: text, headLength: text.length, status, body: '', closes: false };
  }
  const status = at.pick(STATUSES);
  const full = bodyOf(marker, at.pick(LENGTHS));
  const isHead = method === 'HEAD';
  const framing = at.pick(['length', 'length', 'chunked', 'close']);
  const fields = {
    length: [`Content-Length: ${full.length}`],
    chunked: ['Transfer-Encoding: chunked'],
    close: [],
  }[framing as 'length' | 'chunked' | 'close'];
  const start = first + head(told, status, fields);
  const body = framing === 'chunked' ? chunked(told, full) : full;
  return {
    bytes: isHead ? start : start + body,
    headLength: start.length,
    status,
    body: isHead ? '' : full,
    closes: framing === 'close' && !isHead,
  };
}

function whole(told: Told): AnswerPlan {
  const { at } = told;
  const { bytes, status, body, closes } = wholeBytes(told);
  const ending = closes || at.chance(0.1) ? 'end' : 'keep';
  return plan(told, bytes, { ending, sort: 'whole', status, body });
}

/**
 * Bytes that nobody asked for follow a whole answer, in the same write: no visitor may ever see them. What comes later cannot
 * be told from the next answer, by nobody.
 */
function withMore(told: Told): AnswerPlan {
  const { at } = told;
  const { bytes, status, body, closes } = wholeBytes(told);
  if (closes) return plan(told, bytes, { ending: 'end', sort: 'whole', status, body });
  // More than a segment of the loopback device may be read in two.
  if (bytes.length > 30_000)
    return plan(told, bytes, { ending: 'keep', sort: 'whole', status, body });
  const evil = bodyOf('evil', 40);
  const more = at.pick([
    `HTTP/1.1 200 OK\r\nX-Marker: evil\r\nContent-Length: 40\r\n\r\n${evil}`,
    evil,
    '\r\n',
  ]);
  const rest = { ending: 'keep', sort: 'whole', status, body, early: false } as const;
  return { pieces: [Buffer.from(bytes + more, 'latin1')], ...rest };
}

/** The connection ends, is reset or falls silent before the answer is whole. */
function cutOff(told: Told): AnswerPlan {
  const { at } = told;
  const { bytes, headLength, status, body, closes } = wholeBytes(told);
  const isBodyless = body === '';
  // What ends with its connection is whole at any place after its head, unless it is reset.
  const ending = closes ? 'reset' : at.chance(0.1) ? 'silence' : at.pick(['end', 'reset'] as const);
  const last = isBodyless ? headLength - 1 : bytes.length - 1;
  return plan(told, bytes.slice(0, at.below(last + 1)), { ending, sort: 'cut', status, body });
}

function refused(told: Told): AnswerPlan {
  const { at, marker } = told;
  const body = bodyOf(marker, 100);
  const length = `Content-Length: ${body.length}`;
  const text = at.pick([
    head(told, 99, [length]) + body,
    head(told, 101, ['Upgrade: x', 'Connection: Upgrade']) + body,
    head(told, 200, [length, 'Content-Length: 3']) + body,
    head(told, 200, ['Content-Length: -1']) + body,
    head(told, 200, ['Content-Length: 1e2']) + body,
    `HTTP/9.9 200 OK${CRLF}X-Marker: ${marker}${CRLF}${length}${CRLF}${CRLF}${body}`,
    `ICY 200 OK${CRLF}${CRLF}${body}`,
    head(told, 200, ['Bad Name: x', length]) + body,
    head(told, 200, ['X: a\0b', length]) + body,
    `${head(told, 200, ['Transfer-Encoding: chunked'])}zz${CRLF}${body}`,
    `${head(told, 200, ['Transfer-Encoding: chunked'])}5${CRLF}${body}`,
    head(told, 200, [`X-Long: ${'x'.repeat(80_000)}`, length]) + body,
    'garbage without an end',
    bodyOf('garbage', 100_000),
  ]);
  return plan(told, text, {
    ending: at.pick(['keep', 'end', 'reset'] as const),
    sort: 'refused',
    status: 502,
    body,
  });
}

function plan(
  { at }: Told,
  text: string,
  rest: Pick<AnswerPlan, 'ending' | 'sort' | 'status' | 'body'>,
): AnswerPlan {
  const pieces = cut(Buffer.from(text, 'latin1'), at, at.pick([1, 2, 4, 30]));
  return { pieces, early: at.chance(0.3), ...rest };
}

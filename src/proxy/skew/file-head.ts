/** The head of an answer from the archive: pure. */
import { STATUS_CODES } from 'node:http';
import { contentType } from 'mime-types';
import { type Selection, select } from '../cache/conditions.ts';
import type { AnswerHead } from '../slot/answer-head.ts';
import type { OpenFile } from './kept-files.ts';

const YEAR_S = 31_536_000;

/** What a site says on all its answers, its 404 too, and what a font, a module or a worker may be useless without. */
const OF_THE_SITE =
  /^(?:access-control-.*|cross-origin-.*|strict-transport-security|timing-allow-origin|vary|x-content-type-options)$/i;

export interface FileAnswer {
  head: AnswerHead;
  /** The bytes of the body: from the first up to the second, which is not sent. */
  from: number;
  to: number;
}

/**
 * @param path of the URL
 * @param requestFields pairs of name and value
 * @param siteFields of the site's 404
 */
export function fileAnswer(
  path: string,
  { digest, size }: Pick<OpenFile, 'digest' | 'size'>,
  requestFields: readonly string[],
  siteFields: readonly string[],
  now: number,
): FileAnswer {
  const validators = ['ETag', `"${digest.slice(0, 32)}"`];
  const selection = select(requestFields, validators, size, now);
  const { from, to } = bounds(selection, size);
  const fields = [
    ...validators,
    'Cache-Control',
    `public, max-age=${YEAR_S}, immutable`,
    'Accept-Ranges',
    'bytes',
    ...siteFieldsOf(siteFields),
  ];
  const type = typeOf(path);
  if (selection.status === 200 || selection.status === 206) fields.push('Content-Type', type);
  if (selection.status === 206) fields.push('Content-Range', `bytes ${from}-${to - 1}/${size}`);
  if (selection.status === 416) fields.push('Content-Range', `bytes */${size}`);
  const length = selection.status === 304 ? undefined : String(to - from);
  if (length !== undefined) fields.push('Content-Length', length);
  return { head: toHead(selection.status, fields, type, length), from, to };
}

function bounds(selection: Selection, size: number): { from: number; to: number } {
  if (selection.status === 206) return { from: selection.start, to: selection.end + 1 };
  return { from: 0, to: selection.status === 200 ? size : 0 };
}

function siteFieldsOf(fields: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (OF_THE_SITE.test(name)) kept.push(name, fields[i + 1] as string);
  }
  return kept;
}

function typeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return (dot === -1 ? false : contentType(name.slice(dot))) || 'application/octet-stream';
}

function toHead(
  status: number,
  fields: string[],
  type: string,
  length: string | undefined,
): AnswerHead {
  return {
    status,
    reason: STATUS_CODES[status] as string,
    fields,
    known: {
      connection: undefined,
      'content-length': length,
      'content-type': type,
      'keep-alive': undefined,
      trailer: undefined,
      'transfer-encoding': undefined,
    },
    isHttp10: false,
  };
}

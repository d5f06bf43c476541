import { STATUS_CODES } from 'node:http';
import type { Compression } from '../compress/compression.ts';
import { asksWithWeakened } from '../compress/fields.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { writeHead } from '../visitor/response.ts';
import { answerFields, notModifiedFields, withoutBodyFields } from './answer-bytes.ts';
import { select } from './conditions.ts';
import { fieldValue, withoutFields } from './fields.ts';
import type { ServedStored } from './fill.ts';

const RANGE: ReadonlySet<string> = new Set(['range']);

/**
 * Gives a visitor a stored answer, whole or in part, or that it has not changed.
 *
 * @param headers of the request, name and value in turn
 * @param compression `null` where answers go out as they are stored
 */
export function serveStored(
  request: VisitorRequest,
  response: VisitorResponse,
  headers: readonly string[],
  { stored, status: cacheStatus }: ServedStored,
  compression: Compression | null,
  now: number,
): void {
  const { body } = stored;
  const chosen = compression?.chooseStored(stored, fieldValue(headers, 'accept-encoding'));
  const isHead = request.method === 'HEAD';
  const answer = chosen?.answer ?? stored;
  const fields = answerFields(answer, cacheStatus, now);
  // RFC 9110 §14.2: a range is for GET alone.
  const asked = isHead ? withoutFields(headers, RANGE) : headers;
  const selection =
    stored.status === 200
      ? select(asked, stored.fields, body.length, now)
      : { status: 200 as const };
  if (selection.status === 304) {
    const isWeak = asksWithWeakened(headers, fields);
    writeHead(response, 304, 'Not Modified', notModifiedFields(fields, isWeak));
    response.end();
    return;
  }
  if (selection.status === 416) {
    const all = ['Content-Range', `bytes */${body.length}`, 'Content-Length', '0'];
    writeHead(response, 416, STATUS_CODES[416] as string, [...withoutBodyFields(fields), ...all]);
    response.end();
    return;
  }
  if (selection.status === 206) {
    const { start, end } = selection;
    // Parts are of the bytes that the site gave.
    const ofPart = answerFields(chosen?.plain ?? stored, cacheStatus, now);
    ofPart.push('Content-Range', `bytes ${start}-${end}/${body.length}`);
    send(response, 206, 'Partial Content', ofPart, body.subarray(start, end + 1), isHead);
    return;
  }
  send(response, stored.status, stored.reason, fields, answer.body, isHead);
}

function send(
  response: VisitorResponse,
  status: number,
  reason: string,
  fields: string[],
  body: Buffer,
  isHead: boolean,
): void {
  writeHead(response, status, reason, [...fields, 'Content-Length', String(body.length)]);
  if (isHead || body.length === 0) response.end();
  else response.end(body);
}

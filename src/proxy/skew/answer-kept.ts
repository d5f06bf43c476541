/** The step of an exchange that answers from the archive what the active release does not have any more. */
import { hasField, withoutFields } from '../cache/fields.ts';
import { passHead } from '../forward/answering.ts';
import type { ExchangeState } from '../forward/exchange-state.ts';
import { leavePlace } from '../forward/place.ts';
import type { AnswerHead } from '../slot/answer-head.ts';
import { fileAnswer } from './file-head.ts';
import { FileSource } from './file-source.ts';

/** RFC 9110 §14.2: a range is for GET alone. */
const RANGE: ReadonlySet<string> = new Set(['range']);

/**
 * Drops the slot's 404 and sends the file that an earlier release had there.
 *
 * @param target of the request, in origin form
 * @returns whether there is such a file; the slot's answer goes on otherwise
 */
export function answerKept(exchange: ExchangeState, target: string, missing: AnswerHead): boolean {
  const { context, method, headers, upload } = exchange;
  if (context.keptFiles === null || upload !== null) return false;
  if (method !== 'GET' && method !== 'HEAD') return false;
  // A browser that asks for a service worker keeps what it gets.
  if (hasField(headers, 'service-worker')) return false;
  const file = context.keptFiles.open(target);
  if (file === null) return false;
  const source = new FileSource(file.fd, exchange);
  try {
    const isHead = method === 'HEAD';
    const fields = isHead ? withoutFields(headers, RANGE) : headers;
    const { head, from, to } = fileAnswer(file.path, file, fields, missing.fields, Date.now());
    exchange.connection?.abandon(exchange);
    exchange.fill?.drop();
    exchange.fill = null;
    exchange.connection = source;
    leavePlace(exchange);
    const isTold = context.release(exchange.slot) !== null;
    passHead(exchange, head, isTold ? file.release : null);
    source.begin(from, isHead ? from : to);
  } catch (error) {
    source.abandon();
    throw error;
  }
  return true;
}

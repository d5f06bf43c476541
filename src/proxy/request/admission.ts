import type { ProxyLimits } from '../../config/proxy-schema.ts';
import {
  BAD_REQUEST,
  BODY_TOO_LARGE,
  type ErrorAnswer,
  HEADERS_TOO_LARGE,
  METHOD_NOT_ALLOWED,
  NOT_IMPLEMENTED,
} from '../visitor/error-answer.ts';
import { isHttp2, type ServedRequest } from '../visitor/kinds.ts';
import { isOfOtherProtocol } from '../visitor/other-protocol.ts';

/**
 * Finds the fault of a request that Node's parser let through, or `null`.
 *
 * @param fields pairs of name and value
 */
export function objection(
  request: ServedRequest,
  fields: readonly string[],
  limits: ProxyLimits,
): ErrorAnswer | null {
  const { headers } = request;
  // Node's parser takes 0.9 and 2.0 for versions of this syntax too.
  if (request.httpVersionMajor !== 1 && !isHttp2(request)) return BAD_REQUEST;
  if (!isHttp2(request) && isOfOtherProtocol(request)) return BAD_REQUEST;
  if (isHttp2(request) && !isWebScheme(headers[':scheme'])) return BAD_REQUEST;
  if (request.method === 'TRACE') return METHOD_NOT_ALLOWED;
  if (fields.length > limits.headerCount * 2) return HEADERS_TOO_LARGE;
  // HTTP/1.1's parser has a limit of its own.
  if (isHttp2(request) && bytesOf(fields) > limits.headerBytes) return HEADERS_TOO_LARGE;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    // RFC 9112 §6.1: no HTTP/1.0 client means it, and what cannot be decoded cannot be forwarded.
    if (request.httpVersionMajor === 1 && request.httpVersionMinor === 0) return BAD_REQUEST;
    if (coding.toLowerCase() !== 'chunked') return NOT_IMPLEMENTED;
  }
  const length = headers['content-length'];
  if (length !== undefined && limits.bodyBytes > 0 && Number(length) > limits.bodyBytes) {
    return BODY_TOO_LARGE;
  }
  return null;
}

function isWebScheme(scheme: string | string[] | undefined): boolean {
  return scheme === 'https' || scheme === 'http';
}

function bytesOf(fields: readonly string[]): number {
  return fields.reduce((sum, text) => sum + text.length, 0);
}

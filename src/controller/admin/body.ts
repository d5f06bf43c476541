import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { SlotsError } from '../../errors.ts';

/** Time limit for reading the rest of a body that is too large, in milliseconds. */
const LINGER_MS = 10_000;

/** @throws SlotsError `BODY_TOO_LARGE` */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await readChunks(request, maxBytes, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks);
}

/**
 * Reads a body to its end. The rest of one that is too large is read and dropped before it is refused: closing a
 * socket with unread bytes resets it, and the reset can overtake the answer (RFC 9112 §9.6).
 *
 * @throws SlotsError `BODY_TOO_LARGE`
 */
export async function readChunks(
  request: IncomingMessage,
  maxBytes: number,
  onChunk: (chunk: Buffer) => void,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > maxBytes) break;
    onChunk(chunk);
  }
  if (bytes <= maxBytes) return;
  await dropRest(request);
  throw new SlotsError('BODY_TOO_LARGE', `a body of more than ${maxBytes} bytes`);
}

async function dropRest(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  const signal = AbortSignal.timeout(LINGER_MS);
  request.resume();
  // The answer is the same whether the rest came or not.
  await once(request, 'end', { signal }).catch(() => {});
}

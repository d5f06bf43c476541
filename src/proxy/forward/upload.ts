import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { expectsContinue, isBrokenOff } from '../visitor/visitor.ts';

/** A request's body is larger than `proxy.limits.bodyBytes`. */
export class BodyTooLarge extends Error {}

/** A visitor stopped sending in the middle of a body. */
export class BodyStalled extends Error {}

/**
 * A request's body for undici, which destroys the stream it sends from as soon as the slot has answered or
 * failed: on the request itself that would cut the visitor off from that very answer.
 */
export function createUpload(
  request: IncomingMessage,
  response: ServerResponse,
  limits: { bodyBytes: number; bodyIdleTimeoutMs: number },
): Readable {
  let received = 0;
  let continued = !expectsContinue(request);
  let stoodStill = false;

  const body = new Readable({
    read() {
      if (!continued) {
        // Only now does anybody want the body: a request that is refused before needs no 100.
        continued = true;
        if (!response.headersSent) response.writeContinue();
      }
      if (stoodStill) {
        // Node's timeout has gone off for the slot's slowness; from here on it is the visitor's again.
        stoodStill = false;
        request.setTimeout(limits.bodyIdleTimeoutMs);
      }
      request.resume();
    },
    destroy(error, done) {
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      request.off('timeout', onStandstill);
      done(error);
    },
  });

  function onData(chunk: Buffer) {
    received += chunk.length;
    if (limits.bodyBytes > 0 && received > limits.bodyBytes) body.destroy(new BodyTooLarge());
    else if (!body.push(chunk)) request.pause();
  }

  function onEnd() {
    if (isBrokenOff(request)) return onClose();
    request.setTimeout(0);
    body.push(null);
  }

  function onClose() {
    if (!request.complete || isBrokenOff(request))
      body.destroy(new Error('the client closed the connection'));
  }

  function onStandstill() {
    // A slot that reads slowly makes the visitor stand still too.
    if (request.isPaused()) stoodStill = true;
    else body.destroy(new BodyStalled());
  }

  request.pause();
  request.on('data', onData).on('end', onEnd).on('close', onClose);
  request.setTimeout(limits.bodyIdleTimeoutMs, onStandstill);
  return body;
}

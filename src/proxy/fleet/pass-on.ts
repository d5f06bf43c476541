import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { afterReading, ifStillSilent } from '../../after-reading.ts';
import { toVisitorFields } from '../request/fields.ts';
import type { Prepared } from '../request/preparation.ts';
import { Answer } from '../visitor/answer.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { breakOff, isGone, onDrain, onGone } from '../visitor/response.ts';
import { PASSED_FIELD } from './epoch-cookie.ts';

/** A machine that has not begun to answer by then is left, in milliseconds. */
const HEAD_MS = 5000;

/** The longest that a machine may be silent in the middle of an answer, in milliseconds. */
const SILENT_MS = 30_000;

export interface Passing {
  request: VisitorRequest;
  response: VisitorResponse;
  prepared: Prepared;
  /** That the visitor has seen. */
  seen: number;
  /** Of the other machine's proxy: `host:port`. */
  address: string;
}

export interface PassOn {
  /** @param failed is called when the other machine cannot answer, and nothing has been sent yet */
  send(passing: Passing, failed: () => void): void;
}

/** Sends requests to the proxies of other machines of the fleet, and their answers back. */
export function createPassOn(encrypted: boolean): PassOn {
  const agent = encrypted
    ? new SecureAgent({ keepAlive: true, maxSockets: 64 })
    : new PlainAgent({ keepAlive: true, maxSockets: 64 });
  const open = encrypted ? secureRequest : plainRequest;

  return {
    send({ request, response, prepared, seen, address }, failed) {
      const { hostname, port } = new URL(`http://${address}`);
      // Not of the request's own fields: HTTP/2 names the host in another one.
      const [, site = ''] = prepared.headers;
      const outgoing = open({
        agent,
        host: hostname.replace(/^\[|\]$/g, ''),
        port: Number(port),
        method: request.method,
        path: prepared.path,
        headers: [...prepared.headers, PASSED_FIELD, String(seen)],
        // The other machine has the same certificate, which is the site's.
        ...(encrypted && { servername: site.replace(/:\d+$/, '') }),
      });
      let isBegun = false;
      let isAnswered = false;
      const late = () => {
        if (!isAnswered) outgoing.destroy();
      };
      const timer = setTimeout(afterReading, HEAD_MS, late);
      outgoing.on('response', (incoming) => {
        isAnswered = true;
        clearTimeout(timer);
        // Its own page says that it cannot; this machine has something to show.
        if ((incoming.statusCode as number) >= 500) return void outgoing.destroy();
        isBegun = true;
        passBack(incoming, request, response);
      });
      outgoing.setTimeout(SILENT_MS, () => {
        const { socket } = outgoing;
        if (socket) ifStillSilent(socket, () => outgoing.destroy());
      });
      outgoing.on('error', () => {});
      outgoing.on('close', () => {
        clearTimeout(timer);
        if (!isBegun && !isGone(request, response)) failed();
      });
      onGone(response, () => outgoing.destroy());
      outgoing.end();
    },
  };
}

function passBack(
  incoming: IncomingMessage,
  request: VisitorRequest,
  response: VisitorResponse,
): void {
  const { statusCode, statusMessage, rawHeaders, headers } = incoming;
  const fields = toVisitorFields(rawHeaders, headers.connection, null);
  // The release is the other machine's to tell.
  const release = headers['x-slots-release'];
  if (release !== undefined) fields.push('x-slots-release', String(release));
  const length = request.method === 'HEAD' ? undefined : headers['content-length'];
  const answer = new Answer(
    response,
    statusCode as number,
    statusMessage ?? '',
    fields,
    length === undefined ? -1 : Number(length),
  );
  incoming.on('data', (bytes: Buffer) => {
    if (answer.write(bytes)) return;
    incoming.pause();
    onDrain(response, () => incoming.resume());
  });
  incoming.on('error', () => {});
  incoming.on('close', () => {
    if (incoming.complete) answer.end();
    else breakOff(response);
  });
}

/**
 * In front of Pebble 2.4, which has neither renewal information (RFC 9773) nor limits: adds the one, reads what orders say they
 * replace, and refuses a request as a CA with limits does.
 */
import { createServer, request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { freePorts } from './free-ports.ts';

export interface RenewalInfoShim {
  directory: string;
  /** The window that is suggested from here on; `null`: the CA fails to say. */
  suggest(window: { start: Date; end: Date } | null): void;
  /** The ids that were asked for. */
  asked: string[];
  /** `replaces` of each order, in turn; `null` of one without. A nonce that is refused makes it twice. */
  replaces: (string | null)[];
  /** What the next order that is placed is answered with, once. */
  refuse(answer: Refusal): void;
}

export interface Refusal {
  status: number;
  problem: { type: string; detail: string };
  retryAfterS?: number;
  /** The request that is refused: where an order is placed, unless it says so. */
  path?: RegExp;
}

export async function startRenewalInfoShim(
  behind: string,
  tls: { cert: Buffer; key: Buffer },
): Promise<RenewalInfoShim> {
  const [port = 0] = await freePorts(1);
  const { port: caPort } = new URL(behind);
  let window: { start: Date; end: Date } | null = null;
  let refusal: Refusal | null = null;
  const asked: string[] = [];
  const replaces: (string | null)[] = [];
  const server = createServer(tls, async (incoming, outgoing) => {
    const { url = '', method, headers } = incoming;
    if (url.startsWith('/renewal-info/')) {
      asked.push(url.slice('/renewal-info/'.length));
      if (window === null) {
        outgoing.writeHead(500).end();
        return;
      }
      const suggestedWindow = { start: window.start, end: window.end };
      outgoing.writeHead(200, { 'content-type': 'application/json', 'retry-after': '21600' });
      outgoing.end(JSON.stringify({ suggestedWindow }));
      return;
    }
    const body = await buffer(incoming);
    if (refusal && (refusal.path ?? /^\/order-plz$/).test(url)) {
      const { status, problem, retryAfterS } = refusal;
      refusal = null;
      const later = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) };
      const fields = { 'content-type': 'application/problem+json', ...later };
      outgoing.writeHead(status, fields).end(JSON.stringify(problem));
      return;
    }
    if (url === '/order-plz') {
      const { payload } = JSON.parse(String(body));
      const order = JSON.parse(Buffer.from(payload, 'base64url').toString());
      replaces.push(order.replaces ?? null);
    }
    // The `Host` stays: Pebble makes its URLs of it, and they are part of what is signed.
    const options = { host: '127.0.0.1', port: caPort, servername: 'localhost', ca: tls.cert };
    const ask = request({ ...options, path: url, method, headers }, async (answer) => {
      const text = await buffer(answer);
      const { 'content-length': _, 'transfer-encoding': __, ...fields } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 500, fields);
      if (url !== '/dir') return void outgoing.end(text);
      const renewalInfo = `https://localhost:${port}/renewal-info`;
      outgoing.end(JSON.stringify({ ...JSON.parse(String(text)), renewalInfo }));
    });
    ask.on('error', () => outgoing.destroy());
    ask.end(body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    directory: `https://localhost:${port}/dir`,
    suggest(next) {
      window = next;
    },
    asked,
    replaces,
    refuse(answer) {
      refusal = answer;
    },
  };
}

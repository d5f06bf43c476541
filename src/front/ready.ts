/** Whether this machine may get visitors, for a load balancer that asks by no site's host. Pure. */
import { asksReady } from '../proxy/fleet/ready.ts';

const ASKED = /^(GET|HEAD) (\S+) /;

/**
 * The whole answer to a connection that begins so, which names no site; `null` for any other request, and where no site has a
 * fleet.
 *
 * @param ready whether all sites with a fleet are
 */
export function readyAnswer(text: string, ready: () => boolean | null): string | null {
  const [, method, target] = ASKED.exec(text) ?? [];
  if (!asksReady(target)) return null;
  const isReady = ready();
  if (isReady === null) return null;
  const body = `${JSON.stringify({ ready: isReady })}\n`;
  const lines = [
    `HTTP/1.1 ${isReady ? '200 OK' : '503 Service Unavailable'}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : body}`;
}

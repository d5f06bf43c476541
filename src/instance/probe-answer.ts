import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PID_HEADER, PROBE_HEADER, RELEASE_HEADER } from '../slots/headers.ts';

/**
 * Makes every HTTP server of this process answer the controller's probes with the release and the
 * process that answered. PM2 calls a process `online` whatever it serves, and a port says nothing about
 * which of its instances took the connection; the answer itself does.
 */
export function answerProbes(release: string): void {
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.headers[PROBE_HEADER] === undefined) return;
    response.setHeader(RELEASE_HEADER, release);
    response.setHeader(PID_HEADER, String(process.pid));
  });
}

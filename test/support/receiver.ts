import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Receiver {
  /** With a secret in its path, as those of chat services have. */
  url: string;
  host: string;
  received: { body: unknown; headers: IncomingHttpHeaders }[];
}

/**
 * Takes notifications until the test has finished.
 *
 * @param statuses of its answers, in turn, the last one for ever; `null` for no answer at all
 */
export async function startReceiver(...statuses: (number | null)[]): Promise<Receiver> {
  const received: Receiver['received'] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request));
    received.push({ body, headers: request.headers });
    const status = statuses[Math.min(received.length, statuses.length) - 1] ?? null;
    if (status === null) return;
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('thanks');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}/services/s3cret?key=s3cret`, host, received };
}

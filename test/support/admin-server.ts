import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { type AdminParts, createAdminListener } from '../../src/controller/admin/listener.ts';

export const TOKEN = 'a'.repeat(64);

export interface AdminAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface AdminClient {
  port: number;
  /** One request, on a connection of its own; `null` for a field leaves it out. */
  ask(
    method: string,
    path: string,
    headers?: Record<string, string | null>,
    body?: string | Buffer,
  ): Promise<AdminAnswer>;
}

/** The admin port's listener on a free port until the test has finished; each part says that it was called. */
export async function startAdmin(parts: Partial<AdminParts> = {}): Promise<AdminClient> {
  const say = (what: string): AdminParts['api'] => {
    return async (_request, response) => response.end(what);
  };
  const listener = createAdminListener({
    api: say('api'),
    metrics: say('metrics'),
    gitHook: null,
    token: TOKEN,
    hosts: [],
    ...parts,
  });
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return adminClient((server.address() as AddressInfo).port);
}

export function adminClient(port: number): AdminClient {
  return {
    port,
    ask: (method, path, headers = {}, body) =>
      new Promise((resolve, reject) => {
        const fields = { host: `localhost:${port}`, ...headers };
        const outgoing = request({
          host: '127.0.0.1',
          port,
          method,
          path,
          agent: false,
          setHost: false,
          headers: Object.fromEntries(
            Object.entries(fields).filter((field): field is [string, string] => field[1] !== null),
          ),
        });
        outgoing.on('error', reject);
        outgoing.on('response', (answer) => {
          text(answer).then(
            (read) =>
              resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: read }),
            reject,
          );
        });
        outgoing.end(body);
      }),
  };
}

import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import { type AdminPort, createAdminPort } from '../../src/controller/admin/admin-port.ts';
import { testOperations } from './test-operations.ts';

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

/** The admin port on a free port until the test has finished; its operations answer as documented. */
export async function startAdmin(parts: Partial<AdminPort> = {}): Promise<AdminClient> {
  const app = createAdminPort({
    operations: testOperations().operations,
    metrics: { contentType: 'text/plain', text: async () => 'metrics' },
    gitHook: null,
    token: TOKEN,
    hosts: [],
    ...parts,
  });
  return adminClient(await listenWith(app));
}

/** A server for it on a free port of 127.0.0.1, until the test has finished; @returns the port */
export async function listenWith(app: FastifyInstance): Promise<number> {
  await app.ready();
  const server = createServer(app.routing);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
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

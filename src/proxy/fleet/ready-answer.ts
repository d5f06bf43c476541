import { STATUS_CODES } from 'node:http';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { linger } from '../visitor/linger.ts';
import { writeHead } from '../visitor/response.ts';
import { type Readiness, type ReadyFacts, readiness } from './ready.ts';

/** Answers `GET /.slots/ready`. No such answer counts as a visitor's. */
export interface ReadyAnswers {
  /** The controller has said something. */
  heard(): void;
  send(request: VisitorRequest, response: VisitorResponse): void;
  /** What it would say now. */
  readiness(): Readiness;
}

export function createReadyAnswers(
  { id, fenceMs }: Pick<ReadyFacts, 'id' | 'fenceMs'>,
  current: () => ReadyFacts['assignment'],
  now: () => number = () => performance.now(),
): ReadyAnswers {
  let heardAt = now();
  const found = () => readiness({ id, assignment: current(), silentMs: now() - heardAt, fenceMs });
  return {
    readiness: found,
    heard() {
      heardAt = now();
    },
    send(request, response) {
      const { method } = request;
      if (method === 'GET' || method === 'HEAD') answer(request, response, found());
      else refuse(request, response);
    },
  };
}

function answer(request: VisitorRequest, response: VisitorResponse, found: Readiness): void {
  const status = found.why === undefined ? 200 : 503;
  const body = Buffer.from(`${JSON.stringify(found)}\n`);
  write(response, status, ['content-type', 'application/json'], body.length);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
  linger(request);
}

function refuse(request: VisitorRequest, response: VisitorResponse): void {
  write(response, 405, ['allow', 'GET, HEAD'], 0);
  response.end();
  linger(request);
}

function write(response: VisitorResponse, status: number, fields: string[], bytes: number): void {
  const rest = ['content-length', String(bytes), 'cache-control', 'no-store'];
  writeHead(response, status, STATUS_CODES[status] as string, [...fields, ...rest]);
}

import { type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import type { ControllerEvent } from '../controller/admin/api.ts';
import { SlotsError, toErrorCode } from '../errors.ts';
import type { SitePaths } from '../slots/paths.ts';
import { isOwnSocket } from '../slots/socket-owner.ts';

/** A controller that does not answer a question by then hangs, in milliseconds. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface LocalOption {
  /** On this machine alone, where it belongs to a fleet. */
  local?: boolean;
}

export function withLocal(path: string, { local }: LocalOption): string {
  return local ? `${path}?local=true` : path;
}

/**
 * One call to the controller's API over the control socket. What is asked for (GET) has a time limit; what is
 * ordered (POST) may take as long as it takes.
 *
 * @throws SlotsError `CONTROLLER_UNREACHABLE` when nobody answers, or the controller's own error
 */
export async function callController<T>(
  paths: SitePaths,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<T> {
  const { status, text } = await exchange(paths, method, path, body);
  const answer = JSON.parse(text) as T & {
    error?: { code: string; message: string; hint?: string };
  };
  if (status === 200) return answer;
  const { code, message, hint } = answer.error ?? { code: 'UNEXPECTED', message: text };
  throw new SlotsError(toErrorCode(code), message, { hint });
}

function exchange(
  paths: SitePaths,
  method: string,
  path: string,
  body: unknown,
): Promise<{ status: number; text: string }> {
  if (!isOwnSocket(paths)) throw unreachable(paths);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath: paths.controlSocket,
      method,
      path,
      agent: false,
      signal: method === 'GET' ? AbortSignal.timeout(ANSWER_TIMEOUT_MS) : undefined,
    });
    outgoing.on('error', () => reject(unreachable(paths)));
    outgoing.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('error', () => reject(unreachable(paths)));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/**
 * The controller's events, the current status first, until the signal aborts or the controller goes.
 *
 * @throws SlotsError `CONTROLLER_UNREACHABLE`
 */
export async function* followController(
  paths: SitePaths,
  signal?: AbortSignal,
): AsyncGenerator<ControllerEvent> {
  if (!isOwnSocket(paths)) throw unreachable(paths);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({
      socketPath: paths.controlSocket,
      path: '/api/events',
      agent: false,
      signal,
    });
    outgoing.on('error', () => reject(unreachable(paths)));
    outgoing.on('response', resolve);
    outgoing.end();
  });
  answer.on('error', () => {});
  try {
    for await (const line of createInterface({ input: answer })) {
      if (line.startsWith('data: ')) yield JSON.parse(line.slice('data: '.length));
    }
  } catch (error) {
    // A controller that is killed breaks the stream off instead of ending it.
    if (!answer.errored) throw error;
  } finally {
    // Close the connection: an open one would keep a follower who stops from exiting.
    answer.destroy();
  }
  if (!signal?.aborted) throw unreachable(paths);
}

function unreachable(paths: SitePaths): SlotsError {
  return new SlotsError(
    'CONTROLLER_UNREACHABLE',
    `no controller answers for ${paths.root} (${paths.controlSocket})`,
    { hint: 'start it with `slots up`' },
  );
}

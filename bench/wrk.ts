import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface WrkResult {
  requests: number;
  seconds: number;
  /** In microseconds. */
  p50: number;
  p99: number;
  /** Connection errors and answers that were not 2xx or 3xx. */
  errors: number;
}

/** Runs wrk on one core for some seconds. */
export async function wrk(
  core: number,
  url: string,
  options: { connections: number; seconds: number; headers?: string[] },
): Promise<WrkResult> {
  const headers = (options.headers ?? []).flatMap((header) => ['-H', header]);
  const { stdout } = await promisify(execFile)('taskset', [
    ...['-c', String(core), 'wrk', '-t1', '--latency', '--timeout', '10s'],
    ...[`-c${options.connections}`, `-d${options.seconds}s`, ...headers, url],
  ]);
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/
    .exec(stdout)
    ?.slice(1)
    .reduce((sum, count) => sum + Number(count), 0);
  return {
    requests: number(/(\d+) requests in/),
    seconds: number(/requests in ([\d.]+)s/),
    p50: microseconds(/ 50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99: microseconds(/ 99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    errors: (socketErrors ?? 0) + number(/Non-2xx or 3xx responses: (\d+)/),
  };
}

function microseconds(found: RegExpExecArray | null): number {
  if (!found) return Number.NaN;
  const factor = { us: 1, ms: 1000, s: 1_000_000 }[found[2] as 'us' | 'ms' | 's'];
  return Number(found[1]) * factor;
}

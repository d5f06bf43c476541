/** Makes the load: wrk for HTTP/1.1, h2load for HTTP/2, each on one core for some seconds. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Core, pinnedTo } from './processes.ts';

export interface LoadResult {
  /** Answered with 2xx or 3xx. */
  requests: number;
  seconds: number;
  /** In microseconds; `NaN` where the program does not say. */
  p50: number;
  p99: number;
  /** Over the wire to the visitor, heads counted; to two digits after the comma of wrk's unit. */
  bytes: number;
  /** Connection errors and answers that were not 2xx or 3xx. */
  errors: number;
}

export interface LoadOptions {
  connections: number;
  seconds: number;
  headers?: string[];
  /** A Lua script beside this file that makes the requests. */
  script?: string;
}

export async function wrk(core: Core, url: string, options: LoadOptions): Promise<LoadResult> {
  const headers = (options.headers ?? []).flatMap((header) => ['-H', header]);
  const script = options.script
    ? ['-s', fileURLToPath(new URL(options.script, import.meta.url))]
    : [];
  const stdout = await run(core, [
    ...['wrk', '-t1', '--latency', '--timeout', '10s'],
    ...[`-c${options.connections}`, `-d${options.seconds}s`, ...headers, ...script, url],
  ]);
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/
    .exec(stdout)
    ?.slice(1)
    .reduce((sum, count) => sum + Number(count), 0);
  const refused = numberIn(stdout, /Non-2xx or 3xx responses: (\d+)/);
  return {
    // wrk counts whatever has been answered.
    requests: numberIn(stdout, /(\d+) requests in/) - refused,
    seconds: numberIn(stdout, /requests in ([\d.]+)s/),
    p50: microseconds(/ 50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99: microseconds(/ 99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    bytes: bytes(/, ([\d.]+)([KMGT]?)B read/.exec(stdout)),
    errors: (socketErrors ?? 0) + refused,
  };
}

/** @param streams how many requests are open on each connection */
export async function h2load(
  core: Core,
  url: string,
  options: LoadOptions & { streams: number },
): Promise<LoadResult> {
  const stdout = await run(core, [
    ...['h2load', '-t1', `-c${options.connections}`, `-m${options.streams}`],
    ...['-D', String(options.seconds), url],
  ]);
  const done = numberIn(stdout, /(\d+) succeeded/);
  return {
    requests: done,
    seconds: options.seconds,
    p50: Number.NaN,
    p99: Number.NaN,
    bytes: bytes(/traffic: ([\d.]+)([KMGT]?)B/.exec(stdout)),
    errors:
      numberIn(stdout, /(\d+) failed/) +
      numberIn(stdout, /(\d+) 4xx/) +
      numberIn(stdout, /(\d+) 5xx/),
  };
}

async function run(core: Core, command: string[]): Promise<string> {
  const [program, ...args] = [...pinnedTo(core), ...command];
  const { stdout } = await promisify(execFile)(program as string, args);
  return stdout;
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

function microseconds(found: RegExpExecArray | null): number {
  if (!found) return Number.NaN;
  const factor = { us: 1, ms: 1000, s: 1_000_000 }[found[2] as 'us' | 'ms' | 's'];
  return Number(found[1]) * factor;
}

function bytes(found: RegExpExecArray | null): number {
  if (!found) return Number.NaN;
  return Number(found[1]) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(found[2] as string);
}

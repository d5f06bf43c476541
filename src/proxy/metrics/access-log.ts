import type { Slot } from '../../slots/slot.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { isSentWhole } from '../visitor/response.ts';

/** One line of the access log. */
export interface Logged {
  readonly request: VisitorRequest;
  readonly response: VisitorResponse;
  readonly slot: Slot;
  /** Fields as the slot got them. */
  readonly headers: readonly string[];
  /** `performance.now()` at the request's head. */
  readonly startedAt: number;
}

export interface AccessLog {
  /** The answer has ended, finished or not. */
  write(exchange: Logged): void;
  flush(): void;
}

/** Lines are written together once they are this many characters, or after this many milliseconds. */
const FLUSH_CHARS = 32 * 1024;
const FLUSH_INTERVAL_MS = 250;

/**
 * JSON lines like those of our other logs. Each write under PM2 is a message to its daemon as well, so that lines
 * go out together; what is a number or made by us is not escaped.
 */
export function createAccessLog(write: (text: string) => void): AccessLog {
  let pending = '';
  let timer: NodeJS.Timeout | null = null;
  const base = `"pid":${process.pid},"name":"proxy","event":"request"`;

  const flush = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    if (pending !== '') write(pending);
    pending = '';
  };

  return {
    flush,
    write({ request, response, slot, headers, startedAt }) {
      const id = quoted(headers[headers.lastIndexOf('X-Request-Id') + 1] as string);
      const peer = quoted(headers[headers.lastIndexOf('X-Forwarded-For') + 1] as string);
      const tenths = Math.round((performance.now() - startedAt) * 10);
      const ms = `${Math.floor(tenths / 10)}.${tenths % 10}`;
      const finished = isSentWhole(response) ? '' : ',"aborted":true';
      pending += `{"level":30,"time":${timeNow()},${base},"id":${id},"method":"${request.method}","path":${quoted(request.url as string)},"status":${response.statusCode},"ms":${ms},"slot":"${slot}","peer":${peer}${finished}}\n`;
      if (pending.length > FLUSH_CHARS) flush();
      else timer ??= setTimeout(flush, FLUSH_INTERVAL_MS);
    },
  };
}

/** What JSON has no escapes for; a look costs half of what `JSON.stringify` does. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

let millisecond = 0;
let millisecondText = '';

/** Milliseconds since 1970; made a text of once for all lines of the same one. */
function timeNow(): string {
  const now = Date.now();
  if (now !== millisecond) {
    millisecond = now;
    millisecondText = String(now);
  }
  return millisecondText;
}

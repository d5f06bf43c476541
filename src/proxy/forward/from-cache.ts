/** Requests on their way past the release cache: answered from memory, told to wait, or sent on with somebody who watches the answer. */
import type { Slot } from '../../slots/slot.ts';
import type { ReleaseCache } from '../cache/cache.ts';
import { fieldValue } from '../cache/fields.ts';
import type { Fill, ServedStored } from '../cache/fill.ts';
import { createHeadMemory, type HeadMemory, type Part } from '../cache/head-memory.ts';
import type { CacheKey } from '../cache/key.ts';
import { Refresh } from '../cache/refresh.ts';
import { serveStored } from '../cache/serve.ts';
import { asksWithWeakened } from '../compress/fields.ts';
import type { AccessLog } from '../metrics/access-log.ts';
import { countAnswer } from '../metrics/counters.ts';
import { addHsts, toVisitorFields } from '../request/fields.ts';
import type { Prepared } from '../request/preparation.ts';
import type { Router } from '../router.ts';
import type { AnswerHead } from '../slot/answer-head.ts';
import type { VisitorRequest, VisitorResponse } from '../visitor/kinds.ts';
import { PlainRequest } from '../visitor/plain-response.ts';
import { hasBody } from '../visitor/request.ts';
import { isGone, onGone } from '../visitor/response.ts';
import type { ExchangeContext } from './context.ts';
import { fillAhead } from './fill-ahead.ts';

/** An answer that is fresh for less is not worth the highest level of compression: it is soon another one. */
const LASTING_MS = 60_000;

export interface FromCacheParts {
  cache: ReleaseCache;
  router: Router;
  context: Pick<
    ExchangeContext,
    | 'slotClients'
    | 'ports'
    | 'release'
    | 'hsts'
    | 'traffic'
    | 'stopping'
    | 'onFault'
    | 'compression'
  >;
  accessLog: AccessLog | null;
  upstreamTimeoutMs: number;
  /** Lines of an answer's head on a connection that is kept. */
  connectionFields: string;
}

export interface FromCache {
  /** Where plain requests look first; `null` where each answer has to be written down (`proxy.accessLog`). */
  heads: HeadMemory | null;
  /**
   * @param again takes the request once more, after another one for the same URL
   * @returns `done` when the request needs nothing more, or what watches the slot's answer
   */
  pass(
    request: VisitorRequest,
    response: VisitorResponse,
    ready: Prepared,
    slot: Slot,
    again: () => void,
  ): 'done' | 'refuse' | Fill | null;
  /**
   * Asks a candidate for what visitors have asked of the live release.
   *
   * @param withinMs in all, in milliseconds
   * @returns how many URLs were asked for
   */
  fillAhead(slot: Slot, withinMs: number): Promise<number>;
  /** Requests that wait for another's answer. */
  waiting(): Iterable<VisitorRequest>;
}

export function createFromCache(parts: FromCacheParts): FromCache {
  const { cache, router, context, accessLog, upstreamTimeoutMs, connectionFields } = parts;
  const waiting = new Set<VisitorRequest>();

  const marked = (key: CacheKey, mark: object) => {
    const { active } = router.current();
    if (active === null || context.stopping() || !cache.serves(active, key)) return undefined;
    return cache.marked(key, mark);
  };
  const count = (status: number) => {
    cache.counts.hit++;
    countAnswer(context.traffic[router.current().active as Slot], status, 0);
  };
  const heads = accessLog ? null : createHeadMemory({ marked, count, connectionFields });

  const answer = (
    request: VisitorRequest,
    response: VisitorResponse,
    { headers }: Prepared,
    slot: Slot,
    served: ServedStored,
  ) => {
    const startedAt = performance.now();
    if (context.stopping()) response.shouldKeepAlive = false;
    if (accessLog) {
      const logged = { request, response, slot, headers, startedAt };
      let isWritten = false;
      onGone(response, () => {
        if (!isWritten) accessLog.write(logged);
        isWritten = true;
      });
    }
    serveStored(request, response, headers, served, context.compression, Date.now());
    countAnswer(context.traffic[slot], response.statusCode, 0);
  };

  /** What is not there yet in the visitor's coding is made for those who come later. */
  const chosenOf = (key: CacheKey, stored: ServedStored['stored'], headers: readonly string[]) => {
    const { compression } = context;
    if (compression === null) return { coding: undefined, isSettled: true };
    const chosen = compression.chooseStored(stored, fieldValue(headers, 'accept-encoding'));
    const { coding, isSettled } = chosen;
    if (coding === null || isSettled) return chosen;
    const { body, lifetime } = stored;
    compression.make({
      body,
      coding,
      isLasting: lifetime.freshMs >= LASTING_MS,
      isWanted: () => cache.has(key),
      onMade: () => cache.grown(key),
    });
    return chosen;
  };

  const refresh = (
    { path, headers }: Pick<Prepared, 'path' | 'headers'>,
    slot: Slot,
    fill: Fill,
    limitMs = upstreamTimeoutMs,
    onOver?: () => void,
  ) => {
    const begin = (head: AnswerHead, requestHead: string) => {
      const { fields, known } = head;
      const release = context.release(slot);
      const port = context.ports[slot];
      const out = toVisitorFields(fields, known.connection, release, port, requestHead);
      if (context.hsts !== null) addHsts(out, context.hsts);
      fill.begin(slot, head, out);
    };
    new Refresh(path, headers, fill, begin, limitMs, onOver).send(context.slotClients[slot]);
  };

  const wait = (
    request: VisitorRequest,
    response: VisitorResponse,
    key: CacheKey,
    again: () => void,
  ): boolean => {
    const one = {
      wake() {
        waiting.delete(request);
        if (isGone(request, response)) return;
        try {
          again();
        } catch (error) {
          context.onFault(error as Error);
          request.socket.destroy();
        }
      },
    };
    if (!cache.collapse.wait(key, one)) return false;
    waiting.add(request);
    onGone(response, () => {
      waiting.delete(request);
      cache.collapse.leave(key, one);
    });
    return true;
  };

  return {
    heads,
    waiting: () => waiting,
    fillAhead: (slot, withinMs) =>
      fillAhead(
        cache,
        (request, to, fill, limitMs) =>
          new Promise((resolve) => {
            refresh(request, to, fill, limitMs, resolve);
          }),
        slot,
        withinMs,
      ),
    pass(request, response, ready, slot, again) {
      if (hasBody(request) && request.method === 'GET') return null;
      const { path, headers } = ready;
      const look = cache.look({ method: request.method as string, path, headers }, slot);
      switch (look.what) {
        case 'pass':
          return null;
        case 'refuse':
          return 'refuse';
        case 'ask':
          return look.fill;
        case 'wait':
          return wait(request, response, look.key, again) ? 'done' : null;
        case 'answer': {
          const { stored } = look.served;
          const { coding, isSettled } = chosenOf(look.key, stored, headers);
          if (look.refresh) refresh(ready, slot, look.refresh);
          answer(request, response, ready, slot, look.served);
          // What is known by its head goes out on a connection that is kept.
          const isKept = response.shouldKeepAlive;
          if (heads && isKept && look.isPlain && isSettled && request instanceof PlainRequest) {
            const part = partOf(response.statusCode, headers, stored);
            const known = { key: look.key, stored, coding, part };
            if (request.text !== null) heads.remember(request.text, groupOf(ready), known);
          }
          return 'done';
        }
      }
    },
  };
}

/** @param status that the visitor has got: a request that does not ask for parts gets the whole or a 304 */
function partOf(status: number, headers: readonly string[], stored: ServedStored['stored']): Part {
  if (status !== 304) return 'whole';
  return asksWithWeakened(headers, stored.fields) ? 'not-modified-weak' : 'not-modified';
}

/** Connections whose requests get the same answer to the same bytes. */
export function groupOf({ peer }: Pick<Prepared, 'peer'>): number {
  return (peer.trusted ? 1 : 0) + (peer.encrypted ? 2 : 0);
}

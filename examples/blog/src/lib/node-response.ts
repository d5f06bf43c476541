/**
 * Node's response behind the request that is being answered.
 *
 * Astro copies the body of a Response to it without waiting for the client, so an endless or large
 * stream would pile up in memory before a slow reader. A stream that asks here first does not.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

const current = new AsyncLocalStorage<ServerResponse>();

subscribe('http.server.request.start', (message) => {
  current.enterWith((message as { response: ServerResponse }).response);
});

/** A function that waits until the client has taken what was written so far. */
export function clientPace(signal: AbortSignal): () => Promise<void> {
  const response = current.getStore();
  return async () => {
    // A client that left wakes nobody: the signal does.
    if (response?.writableNeedDrain) await once(response, 'drain', { signal }).catch(() => {});
  };
}

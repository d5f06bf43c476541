/** An unsafe request that succeeds makes what is stored of its URL wrong, in every release (RFC 9111 §4.4). */
import type { CacheRequest, Fill } from './fill.ts';
import { type CacheKey, releaseOf } from './key.ts';
import type { CacheStore } from './store.ts';
import { alsoInvalid, invalidates } from './update.ts';

/** @param releases that answers are stored of */
export function createInvalidation(
  store: CacheStore,
  { method, path, headers }: CacheRequest,
  key: CacheKey,
  releases: ReadonlySet<string>,
): Fill {
  return {
    headers: null,
    status: null,
    begin(_slot, { status }, fields) {
      if (!invalidates(method, status)) return null;
      const [, scheme, host, own = ''] = key.split(' ');
      for (const url of [own, ...alsoInvalid(fields, path, headers[1] as string)]) {
        for (const release of releases) store.forget(`${release} ${scheme} ${host} ${url}`);
      }
      if (!releases.has(releaseOf(key))) store.forget(key);
      return null;
    },
    data() {},
    end() {},
    fail: () => null,
    drop() {},
  };
}

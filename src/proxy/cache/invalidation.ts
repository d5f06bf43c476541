/** An unsafe request that succeeds makes what is stored of its URL wrong, in every release (RFC 9111 §4.4). */
import type { CacheRequest, Fill } from './fill.ts';
import type { Forgotten } from './forgotten.ts';
import { type CacheKey, releaseOf } from './key.ts';
import type { CacheStore } from './store.ts';
import { alsoInvalid, invalidates } from './update.ts';

/** @param releases that answers are stored of */
export function createInvalidation(
  store: CacheStore,
  forgotten: Forgotten,
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
      const urls = [own, ...alsoInvalid(fields, path, headers[1] as string)];
      const keys = new Set(
        [...releases, releaseOf(key)].flatMap((release) =>
          urls.map((url) => `${release} ${scheme} ${host} ${url}`),
        ),
      );
      for (const one of keys) store.forget(one);
      forgotten.add((one) => keys.has(one));
      return null;
    },
    data() {},
    end() {},
    canStandIn: () => false,
    fail: () => null,
    drop() {},
  };
}

import { expect, test } from 'vitest';
import { cacheKey, ignoredParameters } from '../../../src/proxy/cache/key.ts';
import { mayStore } from '../../../src/proxy/cache/may-store.ts';
import { createCacheStore } from '../../../src/proxy/cache/store.ts';
import { type StoredAnswer, toStored } from '../../../src/proxy/cache/stored.ts';

const NOW = Date.UTC(2026, 10, 28);
const MIB = 2 ** 20;

function key(release: string, path: string): string {
  return cacheKey(release, 'http', 'a.example', path, () => false);
}

function answer(body: string | Buffer, vary = '', requestFields: string[] = []): StoredAnswer {
  const fields = ['Cache-Control', 's-maxage=60', ...(vary ? ['Vary', vary] : [])];
  const no = {
    isReleaseFile: false,
    isUntilRelease: false,
    hasCookie: false,
    hasAuthorization: false,
  };
  const verdict = mayStore({ method: 'GET', ...no }, 200, fields, NOW);
  if (!verdict.store) throw new Error(verdict.why);
  return toStored({
    status: 200,
    reason: 'OK',
    fields,
    control: [],
    tags: verdict.tags,
    body: Buffer.from(body),
    requestFields,
    requestedAt: NOW,
    receivedAt: NOW,
    policy: verdict.policy,
    permission: verdict.why,
    isAnonymous: verdict.isAnonymous,
    staleIfErrorMs: 0,
  });
}

test('a stored answer is found in its own release only', () => {
  const store = createCacheStore(MIB);
  store.put(key('r1', '/'), answer('one'));
  expect(store.find(key('r1', '/'), [])?.body.toString()).toBe('one');
  expect(store.find(key('r2', '/'), [])).toBeUndefined();
});

test('a variant is found by a request with the same field only, in whichever order they came', () => {
  for (const order of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    const store = createCacheStore(MIB);
    for (const user of order) store.put(key('r1', '/'), answer(user, 'X-User', ['X-User', user]));
    expect(store.find(key('r1', '/'), ['x-user', 'a'])?.body.toString()).toBe('a');
    expect(store.find(key('r1', '/'), ['x-user', 'b'])?.body.toString()).toBe('b');
    expect(store.find(key('r1', '/'), ['x-user', 'c'])).toBeUndefined();
    expect(store.find(key('r1', '/'), [])).toBeUndefined();
  }
});

test('a newer answer replaces the one of the same variant', () => {
  const store = createCacheStore(MIB);
  store.put(key('r1', '/'), answer('old'));
  store.put(key('r1', '/'), answer('new'));
  expect(store.find(key('r1', '/'), [])?.body.toString()).toBe('new');
  expect(store.entries()).toBe(1);
});

test('the answer used longest ago goes first when memory is full', () => {
  const store = createCacheStore(100_000);
  const body = Buffer.alloc(40_000);
  store.put(key('r1', '/a'), answer(body));
  store.put(key('r1', '/b'), answer(body));
  store.find(key('r1', '/a'), []);
  store.put(key('r1', '/c'), answer(body));
  expect(store.has(key('r1', '/a'))).toBe(true);
  expect(store.has(key('r1', '/b'))).toBe(false);
});

test('many URLs that vary by everything stay within the bytes allowed', () => {
  const store = createCacheStore(MIB);
  for (let i = 0; i < 5000; i++) {
    const by = ['Cookie', `id=${i}`, 'User-Agent', `${i % 7}`];
    store.put(key('r1', `/${i % 1250}`), answer('x'.repeat(100), 'Cookie, User-Agent', by));
    if (i % 250 === 0) expect(store.bytes()).toBeLessThanOrEqual(MIB);
  }
  expect(store.bytes()).toBeLessThanOrEqual(MIB);
  expect(store.entries()).toBeGreaterThan(100);
});

test('one URL keeps no more than 32 variants', () => {
  const store = createCacheStore(64 * MIB);
  for (let i = 0; i < 100; i++)
    store.put(key('r1', '/'), answer('x', 'Cookie', ['Cookie', `${i}`]));
  expect(store.entries()).toBe(32);
});

test('only the releases that slots point to are kept', () => {
  const store = createCacheStore(MIB);
  for (const release of ['r1', 'r2', 'r3']) store.put(key(release, '/'), answer(release));
  store.keep(new Set(['r2', 'r3']));
  expect(['r1', 'r2', 'r3'].map((release) => store.has(key(release, '/')))).toEqual([
    false,
    true,
    true,
  ]);
});

test('parameters that are ignored do not make a key of their own, and others keep their order', () => {
  const isIgnored = ignoredParameters(['utm_*', 'fbclid']);
  const of = (path: string) => cacheKey('r1', 'https', 'A.Example', path, isIgnored);
  expect(of('/?utm_source=x&fbclid=1')).toBe('r1 https a.example /');
  expect(of('/?b=2&utm_source=x&a=1')).toBe('r1 https a.example /?b=2&a=1');
  expect(of('/?fbclid2=1')).toBe('r1 https a.example /?fbclid2=1');
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isKept, keptPath } from '../../src/slots/assets-names.ts';

test.each([
  ['/assets/index-Bx3k9ZaQ.js', true],
  ['/_astro/photo.D2kX_1aB.webp', true],
  ['/_next/static/chunks/app/[slug]/page-3f2a9c1b5d6e7f80.js', true],
  ['/_nuxt/builds/meta/0b1c2d3e.json', true],
  ['/_app/immutable/workers/worker-Bx3k9ZaQ.js', true],
  ['/assets/page-abcdefgh.js', true],
  ['/assets/page-abcdefgh.pdf', false],
  ['/about', false],
  ['/robots.txt', false],
  ['/_astro/page.3f2a9c1b.html', false],
  ['/sw.js', false],
  ['/sw.3f2a9c1b.js', false],
  ['/service-worker.3f2a9c1b.js', false],
  ['/assets/service-worker-Bx3k9ZaQ.js', false],
  ['/_nuxt/firebase-messaging-sw.js', false],
  ['/_nuxt/builds/latest.json', false],
  ['/_app/immutable/version.json', false],
  ['/_next/static/manifest.webmanifest', false],
  ['/_astro/index.D2kX_1aB.js.br', false],
  ['/_astro/../secret.3f2a9c1b.js', false],
  ['/_astro/.env.3f2a9c1b.js', false],
  ['/_astro/a\\b.3f2a9c1b.js', false],
  ['/_astro/..%2fb.3f2a9c1b.js', false],
  ['_astro/b.3f2a9c1b.js', false],
])('the file of %j outlives its release: %s', (path, expected) => {
  expect(isKept(path)).toBe(expected);
});

const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
const paths = fc
  .array(fc.oneof(segment, fc.constantFrom('..', '.', '%2e%2e', '..%2f', '\\', 'a\0b', '_astro')))
  .map((segments) => `/_astro/${segments.join('/')}`);

test('a name that is kept leads nowhere but below its own folder, on whatever system it is read', () => {
  fc.assert(
    fc.property(paths, (path) => {
      if (!isKept(path)) return;
      expect(path).not.toMatch(/\\|\0|\/\/|\/\.|%2e|%2f|%5c/i);
      expect(new URL(path.split('/').map(encodeURIComponent).join('/'), 'http://a').pathname).toBe(
        path.split('/').map(encodeURIComponent).join('/'),
      );
    }),
    { numRuns: 2000 },
  );
});

test('a kept name is found under its URL, however much of it is encoded', () => {
  fc.assert(
    fc.property(paths, (path) => {
      if (!isKept(path)) return;
      expect(keptPath(path.split('/').map(encodeURIComponent).join('/'))).toBe(path);
    }),
    { numRuns: 2000 },
  );
});

test('whatever a request asks for, only the name of a kept file comes out', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), paths, fc.webPath()), (target) => {
      const path = keptPath(target);
      expect(path === null || isKept(path)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['/_astro/..%2f..%2fsecrets.3f2a9c1b.js'],
  ['/_astro%2fx.3f2a9c1b.js'],
  ['/_astro/%2e%2e/x.3f2a9c1b.js'],
  ['/_astro/%5c..%5cx.3f2a9c1b.js'],
  ['/_astro/x%00.3f2a9c1b.js'],
  ['/_astro/%E0%A4%A.3f2a9c1b.js'],
  ['/_astro//x.3f2a9c1b.js'],
  ['*'],
])('the target %j is of no kept file', (target) => {
  expect(keptPath(target)).toBeNull();
});

import { expect, test } from 'vitest';
import { detectFramework } from '../../src/config/detect.ts';

const ASTRO = { build: ['astro', 'build', '--outDir', '{outDir}'], entry: 'server/entry.mjs' };

test('recognises Astro by either kind of dependency', () => {
  expect(detectFramework({ dependencies: { astro: '^7.0.0' } })).toMatchObject(ASTRO);
  expect(detectFramework({ devDependencies: { astro: '^7.0.0' } })).toMatchObject(ASTRO);
});

test('recognises nothing where there is nothing to recognise', () => {
  expect(detectFramework({})).toBeNull();
  expect(detectFramework({ dependencies: { 'astro-icon': '1', express: '5' } })).toBeNull();
});

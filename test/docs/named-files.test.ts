import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const REPO = new URL('../../', import.meta.url);
const pages = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  ...readdirSync(new URL('docs/', REPO))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test.each(pages)('each test that %s names exists', (page) => {
  const text = readFileSync(new URL(page, REPO), 'utf8');
  const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, path]) => path as string);
  expect(named.filter((path) => !existsSync(new URL(path, REPO)))).toEqual([]);
});

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const REPO = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/architecture.md', REPO), 'utf8');

/** The files of one walk: paths below a folder of `src`. */
function walk(title: string, folder: string): string[] {
  const section = page.split(`## ${title}`)[1]?.split('\n## ')[0] ?? '';
  const paths = [...section.matchAll(/^\| \d+ \| `([^`]+)`/gm)].map(([, path]) => path as string);
  return paths.map((path) => fileURLToPath(new URL(`src/${folder}/${path}`, REPO)));
}

test.each([
  ['One edit', 'controller', 30],
  ['One request', 'proxy', 20],
])('each file that the walk of "%s" names exists', (title, folder, atLeast) => {
  const files = walk(title, folder);
  expect(files.length).toBeGreaterThanOrEqual(atLeast);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});

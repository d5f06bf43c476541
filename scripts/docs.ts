/**
 * `npm run docs`: writes what is generated into docs/configuration.md, between its two markers. The rest of
 * that page is written by hand. With `--check` it writes nothing and exits with 1 where the page is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configTables } from './config-table.ts';

const PAGE = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));

const BEGIN = '<!-- generated from src/config by `npm run docs`: begin -->';
const END = '<!-- generated: end -->';

/** The page as it should be, and as it is. */
export function configurationPage(): { wanted: string; found: string } {
  const found = readFileSync(PAGE, 'utf8');
  const begin = found.indexOf(BEGIN);
  const end = found.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has lost its markers`);
  const before = found.slice(0, begin + BEGIN.length);
  return { wanted: `${before}\n\n${configTables()}\n\n${found.slice(end)}`, found };
}

if (import.meta.main) {
  const { wanted, found } = configurationPage();
  const isStale = wanted !== found;
  if (!process.argv.includes('--check')) writeFileSync(PAGE, wanted);
  else if (isStale) {
    console.error('docs/configuration.md is stale: run `npm run docs`');
    process.exitCode = 1;
  }
}

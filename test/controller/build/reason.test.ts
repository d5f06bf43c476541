import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { buildReason } from '../../../src/controller/build/reason.ts';

/** What real tools printed, Node 24, npm 11, Astro 7, Vite 8 and TypeScript 7. */
const OUTPUTS = fileURLToPath(new URL('outputs/', import.meta.url));
const SITE = '/tmp/dr/blog';

const REASONS: Record<string, string> = {
  'astro-bad-yaml':
    'missed comma between flow collection entries (src/content/posts/a-correction.md:2)',
  'astro-missing-title':
    '[InvalidContentEntryDataError] posts → a-correction data does not match collection schema. title: Required (src/content/posts/a-correction.md)',
  'astro-broken-component': '[CompilerError] Unexpected token (src/pages/404.astro:2)',
  'astro-missing-import':
    "[UNRESOLVED_IMPORT] Could not resolve '../nowhere.ts' in src/pages/404.astro:2",
  'astro-missing-package':
    '[vite]: Rolldown failed to resolve import "no-such-package-x" from "src/pages/404.astro".',
  'astro-missing-at-prerender':
    "Cannot find package '@oslojs/encoding' imported from /tmp/dr/out/server/.prerender/chunks/jsx-runtime_DD9ecpwO.mjs",
  'vite-syntax-coloured': '[builtin:vite-transform] Unexpected token (main.ts:2)',
  'vite-missing-import': "[UNRESOLVED_IMPORT] Could not resolve './gone.ts' in main.ts:1",
  tsc: "a.ts(1,7): error TS2322: Type 'number' is not assignable to type 'string'.",
  'tsc-pretty': "a.ts:1:7 - error TS2322: Type 'number' is not assignable to type 'string'.",
  'npm-tsc': "a.ts(1,7): error TS2322: Type 'number' is not assignable to type 'string'.",
  'npm-workspace': 'TypeError: The title of post 3 is missing',
  'npm-workspace-says-nothing': 'Lifecycle script `quiet` failed with error:',
  'npm-unknown-tool': 'sh: 1: no-such-tool: not found',
  'npm-missing-script-file': "Error: Cannot find module '/tmp/dr/t/gone.mjs'",
  'npm-no-such-script': 'Missing script: "nosuch"',
  'npm-ci-without-lock':
    'The `npm ci` command can only install with an existing package-lock.json or',
  'node-missing-package':
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'no-such-package-x' imported from /tmp/dr/t/b.mjs",
  'node-throws': 'TypeError: The title of post 3 is missing',
};

describe('the reason of a real failed build', () => {
  test.each(Object.entries(REASONS))('%s', (name, reason) => {
    const output = readFileSync(`${OUTPUTS}${name}.txt`, 'utf8').split('\n');
    expect(buildReason(output, SITE)).toBe(reason);
  });

  test('is told for every output that is kept', () => {
    const names = readdirSync(OUTPUTS).map((file) => file.replace('.txt', ''));
    expect(Object.keys(REASONS).sort()).toEqual(names.sort());
  });
});

describe('buildReason', () => {
  test.each<[string, string[], string]>([
    ['nothing was printed', [], ''],
    ['only blank lines were printed', ['', '  '], ''],
    ['nothing looks like an error', ['one', 'two'], 'two'],
    ['a stack is all there is', ['at f (file:///a.mjs:1:2)', 'at async node:internal:3:4'], ''],
    ['a stack ends the output', ['no title', 'at f (/a.mjs:1:2)'], 'no title'],
    ['an error comes before other output', ['TypeError: no title', 'bye'], 'TypeError: no title'],
    [
      'a summary comes before the error',
      ['Build failed in 3ms', 'error: no title'],
      'error: no title',
    ],
    ['a summary is all there is', ['rendering', 'Build failed in 3ms'], 'Build failed in 3ms'],
    ['an error is a warning only', ['warning: could not resolve x', 'no title'], 'no title'],
    ['the old npm speaks', ['npm ERR! code ELIFECYCLE', 'npm ERR! no title'], 'no title'],
    ['its message is in the next line', ['Error: x:', 'no title'], 'Error: x: no title'],
  ])('when %s', (_when, output, reason) => {
    expect(buildReason(output)).toBe(reason);
  });
});

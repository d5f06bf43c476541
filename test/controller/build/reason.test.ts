import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { buildReason } from '../../../src/controller/build/reason.ts';

/** What real tools printed, Node 24, npm 11, Astro 7, Vite 8, TypeScript 7, Next 15 and 16, SvelteKit 2, Nuxt 4 and Eleventy 3. */
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
  'eleventy-filter': 'Error: filter not found: nofilter (a.njk)',
  'eleventy-front-matter':
    'YAMLException: unexpected end of the stream within a double quoted scalar (4:1) (index.md)',
  'eleventy-missing-include':
    'Error: You’re trying to use a layout that does not exist: _includes/nowhere.njk (via `layout: nowhere.njk`) (index.md)',
  'eleventy-template': 'Error: parseIf: expected elif, else, or endif, got end of file (a.njk)',
  'next15-bad-config': "SyntaxError: Unexpected token ';' (next.config.js:1)",
  'next15-bad-css': 'Syntax error: app/a.css:1 Unclosed block',
  'next15-bad-json':
    'Error: Cannot parse JSON: Expected double-quoted property name in JSON at position 8 (line 1 column 9) while parsing \'{"a": 1,}\' (app/d.json)',
  'next15-eslint':
    "Error: `'` can be escaped with `&apos;`, `&lsquo;`, `&#39;`, `&rsquo;`.  react/no-unescaped-entities (app/page.tsx:1)",
  'next15-hook-in-server':
    'Error: You\'re importing a component that needs `useState`. This React Hook only works in a Client Component. To fix, mark the file (or its parent) with the `"use client"` directive. (app/page.tsx:1)',
  'next15-missing-image': "Module not found: Can't resolve '../public/me.png' (app/page.tsx)",
  'next15-missing-module': "Module not found: Can't resolve '../lib/nowhere' (app/page.tsx)",
  'next15-oom': 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'next15-prerender':
    "TypeError: Cannot read properties of undefined (reading 'title') (page /blog)",
  'next15-syntax': 'Error: Expected corresponding JSX closing tag for <p> (app/page.tsx:1)',
  'next15-throws-at-collect': 'Error: content/posts/a.md: "date" is missing',
  'next15-type-error':
    "Type error: Type 'string' is not assignable to type 'number'. (app/page.tsx:1)",
  'next16-bad-config': "SyntaxError: Unexpected token ';' (next.config.js)",
  'next16-bad-json': 'Error: Unable to make a module from invalid JSON (app/d.json:1)',
  'next16-hook-in-server':
    'Error: You\'re importing a module that depends on `useState` into a React Server Component module. This API is only available in Client Components. To fix, mark the file (or its parent) with the `"use client"` directive. (app/page.tsx:1)',
  'next16-missing-module':
    "Error: Module not found: Can't resolve '../lib/nowhere' (app/page.tsx:1)",
  'next16-missing-package':
    "Error: Module not found: Can't resolve 'no-such-package-x' (app/page.tsx:1)",
  'next16-oom': 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'next16-prerender':
    "TypeError: Cannot read properties of undefined (reading 'title') (app/blog/page.tsx:1)",
  'next16-syntax': 'Error: Expected corresponding JSX closing tag for <p> (app/page.tsx:1)',
  'next16-throws-at-collect': 'Error: content/posts/a.md: "date" is missing (lib/post.ts:1)',
  'next16-type-error':
    "app/page.tsx(1,7): error TS2322: Type 'string' is not assignable to type 'number'.",
  'node-oom': 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'node-syntax': "SyntaxError: Unexpected token ';' (syn.mjs:1)",
  'nuxt-missing-image': "[UNRESOLVED_IMPORT] Could not resolve './me.png' in app/app.vue:3",
  'nuxt-missing-module': "[UNRESOLVED_IMPORT] Could not resolve './nowhere' in app/app.vue:3",
  'nuxt-script-syntax': 'SyntaxError: [vue/compiler-sfc] Unexpected token (2:10) (app/app.vue:2)',
  'nuxt-syntax': 'RolldownError: Element is missing end tag. (app/app.vue:1)',
  'sveltekit-broken-link': 'Error: 404 /nowhere (linked from /)',
  'sveltekit-missing-image': 'Could not resolve "./me.png" from "src/routes/+page.svelte"',
  'sveltekit-missing-module':
    "[vite:load-fallback] Could not load src/lib/nowhere.js (imported by src/routes/+page.svelte): ENOENT: no such file or directory, open 'src/lib/nowhere.js'",
  'sveltekit-prerender':
    "TypeError: Cannot read properties of undefined (reading 'title') (page /)",
  'sveltekit-syntax':
    '[vite-plugin-svelte:compile] [plugin vite-plugin-svelte:compile] src/routes/+page.svelte (1:10): src/routes/+page.svelte:1:10 `</p>` attempted to close an element that was not open',
};

test.each(Object.entries(REASONS))('the reason of a real failed build: %s', (name, reason) => {
  const output = readFileSync(`${OUTPUTS}${name}.txt`, 'utf8').split('\n');
  expect(buildReason(output, SITE)).toBe(reason);
});

test('the reason of a real failed build is told for every output that is kept', () => {
  const names = readdirSync(OUTPUTS).map((file) => file.replace('.txt', ''));
  expect(Object.keys(REASONS).sort()).toEqual(names.sort());
});

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
])('buildReason: when %s', (_when, output, reason) => {
  expect(buildReason(output)).toBe(reason);
});

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';

const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');

let folder = '';
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What our lint says of files as if they were in the repo: `<file> <rule>`, once for each file and rule. */
function lint(files: Record<string, string>): string[] {
  folder = mkdtempSync(join(tmpdir(), 'imports-'));
  cpSync('biome.jsonc', join(folder, 'biome.jsonc'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const said = run(['lint', '--vcs-enabled=false', '--reporter=github', '--max-diagnostics=none']);
  const found = said.replaceAll(`${folder}/`, '').matchAll(/title=lint\/\w+\/(\w+),file=([^,]+),/g);
  return [...new Set([...found].map(([, rule, file]) => `${file} ${rule}`))].sort();
}

function run(args: string[]): string {
  const options = { cwd: folder, encoding: 'utf8', stdio: 'pipe' } as const;
  try {
    return execFileSync(process.execPath, [biome, ...args], options);
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

test('lint refuses a circle of imports, also one of types alone', () => {
  const found = lint({
    'src/slots/a.ts': "import type { B } from './b.ts';\nexport type A = { b: B };\n",
    'src/slots/b.ts': "import type { A } from './a.ts';\nexport type B = { a: A };\n",
  });
  expect(found).toEqual(['src/slots/a.ts noImportCycles', 'src/slots/b.ts noImportCycles']);
});

/** For each room of src/, what it must not import. */
const FORBIDDEN: Record<string, string[]> = {
  'cli/status': ['proxy', 'instance'],
  'controller/promotion': ['cli', 'proxy', 'instance'],
  proxy: ['cli', 'controller', 'instance'],
  config: ['cli', 'controller', 'proxy', 'instance', 'wire'],
  slots: ['cli', 'config', 'controller', 'proxy', 'instance', 'wire'],
  instance: ['cli', 'config', 'controller', 'proxy', 'wire'],
  wire: ['cli', 'config', 'controller', 'proxy', 'instance'],
};

test('lint refuses each direction of imports that the layout forbids', () => {
  const cases = Object.entries(FORBIDDEN).flatMap(([room, others]) =>
    others.map((other) => ({ from: `src/${room}/uses-${other}.ts`, room, other })),
  );
  const up = (room: string) => '../'.repeat(room.split('/').length);
  const files = cases.map(({ from, room, other }) => [
    from,
    `import type { X } from '${up(room)}${other}/x.ts';\nexport type Y = X;\n`,
  ]);
  const expected = cases.map(({ from }) => `${from} noRestrictedImports`).sort();
  expect(lint(Object.fromEntries(files))).toEqual(expected);
});

test('lint refuses I/O in the files that only decide', () => {
  const pure = [
    'src/controller/promotion/machine.ts',
    'src/controller/source/decide.ts',
    'src/proxy/router.ts',
    'src/proxy/slot/answer-reader.ts',
    'src/proxy/visitor/request-reader.ts',
  ];
  const text = "import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n";
  const found = lint(Object.fromEntries(pure.map((file) => [file, text])));
  expect(found).toEqual(pure.map((file) => `${file} noRestrictedImports`).sort());
});

test('lint lets wire import types of slots, and only pm2.ts the package pm2', () => {
  const found = lint({
    'src/wire/a.ts': "import type { Slot } from '../slots/slot.ts';\nexport type A = Slot;\n",
    'src/wire/b.ts': "import type { State } from '../slots/state.ts';\nexport type B = State;\n",
    'src/pm2.ts': "import type { App } from 'pm2';\nexport type C = App;\n",
    'src/controller/d.ts': "import type { App } from 'pm2';\nexport type D = App;\n",
  });
  expect(found).toEqual([
    'src/controller/d.ts noRestrictedImports',
    'src/wire/b.ts noRestrictedImports',
  ]);
});

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ownAddressUse } from '../../src/cli/own-address.ts';
import { detectFramework } from '../../src/config/detect.ts';
import { tempFolder } from '../support/temp-folder.ts';

const next = detectFramework({ dependencies: { next: '16' } });

async function useIn(code: string, path = 'app/feed/route.ts'): Promise<string | null> {
  const root = await tempFolder();
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), code);
  return ownAddressUse(root, { watch: ['app', 'missing'], ownAddress: next?.ownAddress });
}

const GETS_IT = [
  'const base = request.nextUrl.origin;',
  'const { searchParams, origin } = new URL(request.url);',
  'const { host } = req.nextUrl;',
  'return new URL(req.url).origin;',
];

test.each(GETS_IT)(
  'a file of a Next site is named that takes the host from its URL: %s',
  async (code) => {
    expect(await useIn(code)).toBe('app/feed/route.ts');
  },
);

const DOES_NOT = [
  'const { searchParams } = new URL(request.url);',
  'return Response.redirect(new URL("/login", request.url));',
  'const host = (await headers()).get("host");',
  '// const base = request.nextUrl.origin;',
];

test.each(DOES_NOT)(
  'a file of a Next site is not named that has no need of the host: %s',
  async (code) => {
    expect(await useIn(code)).toBeNull();
  },
);

test('the code of packages and tests is not looked at for the host', async () => {
  expect(await useIn(GETS_IT[0] as string, 'app/node_modules/a/index.js')).toBeNull();
  expect(await useIn(GETS_IT[0] as string, 'app/__tests__/a.js')).toBeNull();
});

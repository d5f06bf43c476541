import { execFileSync } from 'node:child_process';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Prints each file that is loaded with the instance, and ends before the site would start. */
const LIST_LOADED = `
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) console.log(url);
    return next(url, context);
  },
});
process.env.SLOTS_ROOT = '/nowhere';
process.env.SLOTS_SLOT = 'blue';
await import(${JSON.stringify(`${SRC}instance/main.ts`)});
`;

test('a process of a slot loads only the instance and the model on disk, and no package', () => {
  const args = ['--input-type=module', '--eval', LIST_LOADED];
  let printed = '';
  try {
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    printed = (error as { stdout: string }).stdout;
  }
  const loaded = printed
    .trim()
    .split('\n')
    .map((url) => relative(SRC, fileURLToPath(url)));
  expect(loaded).toContain('instance/run-entry.ts');
  const others = loaded.filter(
    (file) =>
      !/^(instance|slots)\/|^wire\/instance-socket\.ts$|^(errors|is-running|outlive-daemon|plain-text)\.ts$/.test(
        file,
      ),
  );
  expect(others).toEqual([]);
  expect(loaded.length).toBeLessThan(33);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { withStartLock } from '../../src/cli/start-lock.ts';
import { sitePaths } from '../../src/slots/paths.ts';
import { tempFolder } from '../support/temp-folder.ts';

const MODULE = fileURLToPath(new URL('../../src/cli/start-lock.ts', import.meta.url));
const PATHS = fileURLToPath(new URL('../../src/slots/paths.ts', import.meta.url));

test('only one `slots up` of a site starts things at a time', async () => {
  const paths = sitePaths(await tempFolder());
  let running = 0;
  let most = 0;
  const start = () =>
    withStartLock(paths, async () => {
      most = Math.max(most, ++running);
      await delay(20);
      running--;
    });
  await Promise.all([start(), start(), start()]);
  expect(most).toBe(1);
});

test('a start that fails lets the next one begin', async () => {
  const paths = sitePaths(await tempFolder());
  const failing = withStartLock(paths, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await withStartLock(paths, async () => 'begun')).toBe('begun');
});

test('the lock of a `slots up` that was killed is taken over', async () => {
  const root = await tempFolder();
  const held = `
    const { withStartLock } = await import(${JSON.stringify(MODULE)});
    const { sitePaths } = await import(${JSON.stringify(PATHS)});
    await withStartLock(sitePaths(${JSON.stringify(root)}), async () => {
      process.send('held');
      await new Promise(() => setInterval(() => {}, 1000));
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', held], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
  const paths = sitePaths(root);
  expect(existsSync(join(paths.slots, 'start.lock'))).toBe(true);
  expect(await withStartLock(paths, async () => 'begun')).toBe('begun');
});

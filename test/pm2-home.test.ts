import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { preparePm2Home } from '../src/pm2-home.ts';
import { tempFolder } from './support/temp-folder.ts';

test('a PM2_HOME that is a file is refused by its name', async () => {
  const file = join(await tempFolder('s-'), 'file');
  await writeFile(file, '');
  expect(() => preparePm2Home(file)).toThrow(`PM2_HOME: ${file} cannot be used (EEXIST)`);
  expect(() => preparePm2Home(join(file, 'below'))).toThrow('cannot be used');
});

test('a PM2_HOME that cannot be made is refused, and not waited for', () => {
  expect(() => preparePm2Home('/proc/nowhere')).toThrow('PM2_HOME: /proc/nowhere cannot be used');
});

test('a PM2_HOME whose sockets have too long a path is refused before it is made', async () => {
  const home = join(await tempFolder('s-'), 'x'.repeat(100));
  expect(() => preparePm2Home(home)).toThrow('its path is too long for a Unix socket');
  expect(existsSync(home)).toBe(false);
});

test('a PM2_HOME that is not there yet is made', async () => {
  const home = join(await tempFolder('s-'), 'a', 'b');
  preparePm2Home(home);
  expect(existsSync(home)).toBe(true);
});

import { appendFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { followFile } from '../../../src/cli/terminal/follow-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { until } from '../../support/until.ts';

test('follows what is appended, over a move, a new file and a truncation', async () => {
  const folder = await tempFolder();
  const at = (name: string) => join(folder, name);
  let path = at('one.partial');
  await writeFile(path, 'before\n');
  const lines: string[] = [];
  let looks = 0;
  const locate = async () => {
    looks++;
    return path;
  };
  void followFile(locate, (line) => lines.push(line));
  await until(() => looks > 1, 'the first look');

  await appendFile(path, 'a\nhal');
  await until(() => lines.includes('a'), 'the first line');
  await appendFile(path, 'f\n');
  await rename(path, at('one'));
  path = at('one');
  await until(() => lines.includes('half'), 'the line written in two parts');

  await writeFile(at('two'), 'new\n');
  path = at('two');
  await until(() => lines.includes('new'), 'the new file, from its start');
  await truncate(path);
  const seen = looks;
  await until(() => looks > seen + 1, 'a look at the empty file');
  await appendFile(path, 'again\n');
  await until(() => lines.includes('again'), 'what came after the truncation');
  expect(lines).toEqual(['a', 'half', 'new', 'again']);
  path = at('gone');
});

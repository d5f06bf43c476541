import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { plainSite } from '../support/plain-site.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const packageFile = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Everything that a process has printed so far. */
function outputOf(child: ChildProcess): () => string {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return () => output;
}

/** The command in a terminal of its own, by script(1). */
function inTerminal(site: Site, ...args: string[]): ChildProcess {
  const words = [process.execPath, packageFile('bin/slots.js'), '-C', site.root, ...args];
  const command = `stty cols 100 rows 30; exec ${words.map((word) => `'${word}'`).join(' ')}`;
  return spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { ...site.env, TERM: 'xterm-256color' },
  });
}

const pm2 = (site: Site, ...args: string[]) =>
  promisify(execFile)(packageFile('node_modules/.bin/pm2'), args, { env: site.env });

test('status --watch keeps its picture over a restart of the controller, and Ctrl-C gives the cursor back', async () => {
  const site = await plainSite();
  await site.slots('up');
  const watch = inTerminal(site, 'status', '--watch');
  const output = outputOf(watch);
  const since = (mark: number) => output().slice(mark);
  await until(() => output().includes('standby') || output().includes('active'), 'the picture');
  expect(output()).toContain('\x1b[?25l');

  let mark = output().length;
  await pm2(site, 'stop', `${site.name}-watcher`);
  await until(() => /controller away for .*served without it/.test(since(mark)), 'the note');
  expect(since(mark)).toContain('active');

  mark = output().length;
  await pm2(site, 'start', `${site.name}-watcher`);
  await until(
    () => since(mark).split('\x1b[?2026h').at(-2)?.includes('away') === false,
    'it to go on',
    30_000,
  );
  mark = output().length;
  await site.edit('page.txt', 'seen in the picture');
  await until(() => since(mark).includes('epoch 2'), 'the promotion in the picture', 30_000);

  watch.stdin?.write('\x03');
  const [code] = await once(watch, 'exit');
  expect(code).toBe(0);
  expect(output().trimEnd().endsWith('\x1b[?25h')).toBe(true);
});

test('status --watch --json goes on after a restart, too, and exits with 3 without a controller', async () => {
  const site = await plainSite();
  expect(await site.slots('status', '--watch')).toMatchObject({ exitCode: 3 });
  await site.slots('up');
  const watch = site.spawn('status', '--watch', '--json');
  const output = outputOf(watch);
  await until(() => output() !== '', 'the first line');
  await pm2(site, 'restart', `${site.name}-watcher`);
  await until(() => site.status(), 'the controller to be back', 30_000);
  await site.settled();
  await site.edit('page.txt', 'after the restart');
  await until(() => output().includes('"epoch":2'), 'a line from after the restart', 30_000);
  for (const line of output().trim().split('\n')) expect(JSON.parse(line).name).toBe(site.name);
  watch.kill('SIGINT');
  await once(watch, 'exit');
});

test('a long error of the history is cut on a terminal, and whole in a pipe', async () => {
  const site = await plainSite();
  const error = `Error: ${'far too long '.repeat(20)}\nthe end`;
  await mkdir(join(site.root, 'slots'));
  const entry = {
    id: 'p',
    outcome: 'failed',
    release: null,
    trigger: 'edit',
    stage: 'build',
    error,
  };
  const finishedAt = new Date().toISOString();
  await writeFile(
    join(site.root, 'slots/history.jsonl'),
    `${JSON.stringify({ ...entry, durationsMs: { build: 40 }, startedAt: finishedAt, finishedAt })}\n`,
  );
  const terminal = inTerminal(site, 'history');
  const shown = outputOf(terminal);
  await once(terminal, 'close');
  const [line = '', ...others] = shown().trimEnd().split('\r\n');
  expect(others).toEqual([]);
  expect(line).toContain('\x1b[31mfailed\x1b[39m');
  expect(stripVTControlCharacters(line)).toHaveLength(100);
  expect(stripVTControlCharacters(line).endsWith('…')).toBe(true);
  const piped = (await site.slots('history')).stdout;
  expect(piped).not.toContain('\x1b');
  expect(piped.trimEnd().endsWith('far too long the end')).toBe(true);
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import xterm from '@xterm/headless';
import { expect, test } from 'vitest';
import { lacking, skipFor } from '../support/needs.ts';
import { plainSite } from '../support/plain-site.ts';
import type { Site } from '../support/site.ts';
import { until } from '../support/until.ts';

const { Terminal } = xterm;

const COLUMNS = 100;
const ROWS = 30;

/** DECTCEM: 25, set (`h`) and reset (`l`). */
const CURSOR_MODE = 25;

const packageFile = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Everything that a process has printed so far. */
function outputOf(child: ChildProcess): () => string {
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return () => output;
}

/** What a terminal of that size shows of what a process prints, and whether it shows the cursor. */
function screenOf(child: ChildProcess): { text(): string; isCursorHidden(): boolean } {
  const terminal = new Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  let hidden = false;
  const onMode = (isHidden: boolean) => (params: (number | number[])[]) => {
    if (params[0] === CURSOR_MODE) hidden = isHidden;
    return false;
  };
  terminal.parser.registerCsiHandler({ prefix: '?', final: 'l' }, onMode(true));
  terminal.parser.registerCsiHandler({ prefix: '?', final: 'h' }, onMode(false));
  child.stdout?.on('data', (bytes: Buffer) => terminal.write(bytes));
  const { active } = terminal.buffer;
  const lines = () =>
    Array.from({ length: ROWS }, (_, row) => active.getLine(row)?.translateToString(true) ?? '');
  return { text: () => lines().join('\n').trimEnd(), isCursorHidden: () => hidden };
}

/** The command in a terminal of its own, by script(1). */
function inTerminal(site: Site, ...args: string[]): ChildProcess {
  const words = [process.execPath, packageFile('bin/slots.js'), '-C', site.root, ...args];
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec ${words.map((word) => `'${word}'`).join(' ')}`;
  return spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { ...site.env, TERM: 'xterm-256color' },
  });
}

const pm2 = (site: Site, ...args: string[]) =>
  promisify(execFile)(packageFile('node_modules/.bin/pm2'), args, { env: site.env });

test('status --watch keeps its picture over a restart of the controller, and Ctrl-C gives the cursor back', async ({
  skip,
}) => {
  skipFor(skip, lacking('script', 'stty'));
  const site = await plainSite();
  await site.slots('up');
  const watch = inTerminal(site, 'status', '--watch');
  const screen = screenOf(watch);
  await until(() => screen.text().includes('active'), 'the picture');
  expect(screen.isCursorHidden()).toBe(true);

  await pm2(site, 'stop', `${site.name}-watcher`);
  const away = /controller away for .*served without it/;
  await until(() => away.test(screen.text()), 'the note');
  expect(screen.text()).toContain('active');

  await pm2(site, 'start', `${site.name}-watcher`);
  await until(() => !away.test(screen.text()), 'it to go on', 30_000);
  await site.edit('page.txt', 'seen in the picture');
  await until(() => screen.text().includes('epoch 2'), 'the promotion in the picture', 30_000);
  // One picture, however often it was drawn.
  expect(screen.text().match(/epoch \d/g)).toHaveLength(1);

  watch.stdin?.write('\x03');
  const [code] = await once(watch, 'exit');
  expect(code).toBe(0);
  await until(() => !screen.isCursorHidden(), 'the cursor to be back');
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

test('a long error of the history is cut on a terminal, and whole in a pipe', async ({ skip }) => {
  skipFor(skip, lacking('script', 'stty'));
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
